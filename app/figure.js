// Draws the figure that Python's `fetch` gives, in the colours of the page, once the panel is seen.
const box = element.querySelector('.figure'), config = {displaylogo: false, responsive: false, scrollZoom: box.classList.contains('map'), displayModeBar: false}
let original, drawn

const dark = () => document.body.classList.contains('dark')

// The theme's colours by the page's variables, so that a figure follows light and dark.
const recolour = x => {
  if (Array.isArray(x)) return x.map(recolour)
  if (x && typeof x === 'object') return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, recolour(v)]))
  if (typeof x !== 'string') return x
  const name = props.colours[x], hsl = dark() && x.match(/^hsl\((\d+),(\d+)%,(\d+)%\)$/)
  if (hsl) return `hsl(${hsl[1]},${hsl[2]}%,${+hsl[3] + 18}%)`
  return name ? getComputedStyle(element).getPropertyValue(name).trim() || x : x
}

// Rings: the value is {name: [item ids]}, and a trace of that name gets their places.
const ring = fig => {
  const all = fig.data[0], row = new Map(Array.from(all.customdata || [], (id, i) => [id, i]))
  for (const t of fig.data.slice(1)) {
    const ids = ((props.value || {})[t.name] || []).filter(id => row.has(id)), at = ids.map(id => row.get(id))
    Object.assign(t, {x: at.map(i => all.x[i]), y: at.map(i => all.y[i]), text: at.map(i => all.text[i]), customdata: ids, visible: at.length ? true : 'legendonly'})
  }
}

const draw = async () => {
  if (!original || !box.clientWidth) return
  const fig = {data: recolour(original.data), layout: recolour(original.layout)}
  if (box.classList.contains('map')) ring(fig)
  Object.assign(fig.layout, {width: box.clientWidth, height: box.clientHeight, autosize: false, uirevision: 'same'})
  await Plotly.react(box, fig.data, fig.layout, config)
  if (!drawn) box.on('plotly_click', e => { const id = e.points[0].customdata; if (id !== undefined) trigger('click', {do: 'show', item: id}) })
  drawn = true
}

new ResizeObserver(draw).observe(box)
new MutationObserver(draw).observe(document.body, {attributes: true, attributeFilter: ['class']})
watch('value', draw)
server.fetch(0).then(f => { original = JSON.parse(f); return draw() }).catch(() => { box.textContent = 'The figure could not be drawn; reload the page.' })
