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

// Plotly's JSON packs arrays in base64.
const TYPES = {i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array}
const unpack = a => a && a.bdata ? Array.from(new TYPES[a.dtype](Uint8Array.from(atob(a.bdata), c => c.charCodeAt(0)).buffer)) : a || []

// Rings: the value is {name: [item ids]}, and a trace of that name gets their places.
const ring = fig => {
  const {x, y, text, customdata} = Object.fromEntries(Object.entries(fig.data[0]).map(([k, v]) => [k, unpack(v)]))
  const row = new Map(customdata.map((id, i) => [id, i]))
  for (const t of fig.data.slice(1)) {
    const ids = ((props.value || {})[t.name] || []).filter(id => row.has(id)), at = ids.map(id => row.get(id))
    Object.assign(t, {x: at.map(i => x[i]), y: at.map(i => y[i]), text: at.map(i => text[i]), customdata: ids, visible: at.length > 0})
  }
}

const draw = async () => {
  if (!original || !box.clientWidth) return
  const fig = {data: recolour(original.data), layout: recolour(original.layout)}
  if (box.classList.contains('map')) ring(fig)
  Object.assign(fig.layout, {width: box.clientWidth, height: box.clientHeight, autosize: false, uirevision: 'same'})
  await Plotly.react(box, fig.data, fig.layout, config)
  if (!drawn) box.on('plotly_click', e => { const id = e.points[0].customdata; if (id !== undefined) trigger('select', {item: id}) })
  drawn = true
}

new ResizeObserver(draw).observe(box)
new MutationObserver(draw).observe(document.body, {attributes: true, attributeFilter: ['class']})
watch('value', draw)
server.fetch(box.clientWidth).then(f => { original = JSON.parse(f); return draw() }).catch(() => { box.textContent = 'The figure could not be drawn; reload the page.' })
