// ---- maps: tool and zoom -------------------------------------------------------------
const number_of = name => (name === 'map2' ? 2 : 1)
const zoomed = () => {
  // {map: [x from, to, y from, to]}
  const z = [state.zoom || []].flat().map(Number)
  return Object.fromEntries(z.flatMap((n, i) => (i % 5 ? [] : [[n, z.slice(i + 1, i + 5)]])))
}
const touch = matchMedia('(hover: none)').matches // there a swipe scrolls the page until Pan is pressed
const used = name =>
  state.tool && (name.startsWith('map') || state.tool === 'pan') ? state.tool : touch ? '' : 'pan'
const stand = (layout, name) => {
  layout.dragmode = used(name) || false
  const z = name.startsWith('map') && zoomed()[number_of(name)]
  if (!z) return
  layout.xaxis = {...layout.xaxis, range: z.slice(0, 2), autorange: false}
  layout.yaxis = {...layout.yaxis, range: z.slice(2), autorange: false}
}
const moved = (name, e) => {
  const ranges = Object.keys(e).filter(k => /^[xy]axis/.test(k))
  if (!ranges.length || !name.startsWith('map')) return
  const all = zoomed(),
    {xaxis, yaxis} = view.querySelector(`.figure[data-figure=${name}]`)._fullLayout
  if (ranges.some(k => k.endsWith('autorange'))) delete all[number_of(name)]
  else all[number_of(name)] = [...xaxis.range, ...yaxis.range].map(x => +x.toFixed(3))
  const z = Object.entries(all).flatMap(([n, r]) => [+n, ...r])
  keep({zoom: z.length ? z : null})
}
const tool = d => {
  if (d.tool === 'reset') {
    const box = view.querySelector(`.figure[data-figure=${d.map}]`)
    return Plotly.relayout(box, {'xaxis.autorange': true, 'yaxis.autorange': true})
  }
  const off = touch && d.tool === used(d.map)
  keep({tool: off || (d.tool === 'pan' && !touch) ? null : d.tool})
  for (const box of view.querySelectorAll('.maps .figure[data-drawn]'))
    Plotly.relayout(box, {dragmode: used(box.dataset.figure) || false})
  tools()
}
const tools = () => {
  for (const b of view.querySelectorAll('[data-do=tool]'))
    if (b.dataset.tool !== 'reset') b.setAttribute('aria-pressed', b.dataset.tool === used(b.dataset.map))
}
const lasso = (name, e) => {
  // its corners go into the address, and Python says what lies within
  const box = e && e.range && Object.values(e.range),
    free = e && e.lassoPoints && Object.values(e.lassoPoints)
  if (!box && !free) return
  let [x, y] = free || [
    [box[0][0], box[0][1], box[0][1], box[0][0]],
    [box[1][0], box[1][0], box[1][1], box[1][1]]
  ]
  const step = Math.ceil(x.length / 60),
    corners = x.map((_, i) => [x[i], y[i]]).filter((_, i) => i % step === 0)
  if (corners.length > 2)
    act({do: 'lasso', lasso: [number_of(name), ...corners.flat().map(v => +v.toFixed(3))]})
}
