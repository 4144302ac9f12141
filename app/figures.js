// ---- figures -------------------------------------------------------------
const dark = () => document.body.classList.contains('dark')
const recolour = x => {
  if (Array.isArray(x)) return x.map(recolour)
  if (x && typeof x === 'object')
    return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, recolour(v)]))
  if (typeof x !== 'string') return x
  const name = props.colours[x]
  return name ? getComputedStyle(root).getPropertyValue(name).trim() || x : x
}
const TYPES = {
  i1: Int8Array,
  u1: Uint8Array,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  f4: Float32Array,
  f8: Float64Array
}
const unpack = a =>
  a && a.bdata
    ? Array.from(new TYPES[a.dtype](Uint8Array.from(atob(a.bdata), c => c.charCodeAt(0)).buffer))
    : a || []
const draw = async (box, all) => {
  box.all = all || box.all
  const name = box.dataset.figure,
    json = box.all[name]
  if (!json || !box.clientWidth) return
  const fig = grown(JSON.parse(json), box.at),
    map = box.dataset.click === 'item' && box.closest('.maps'),
    below = box.dataset.base && (await base(box.dataset.base))
  if (!box.isConnected) return
  if (name === 'beam') fit(fig, box.clientWidth)
  const columns = fig.data[0]?.type === 'icicle' && fig.layout.meta.columns,
    room = box.clientWidth - 8,
    wide = columns ? (room * columns) / (columns - 1) + 8 : box.clientWidth
  if (columns) shorten(fig.data[0], room / (columns - 1))
  const made = {data: recolour(fig.data), layout: recolour(fig.layout)}
  if (below) made.data.unshift({...below, selectedpoints: fig.layout.meta?.lit ?? undefined})
  const h = +made.layout.height || box.clientHeight
  Object.assign(made.layout, {
    width: wide,
    height: map ? box.clientHeight : h,
    autosize: false,
    uirevision: 'same',
    selections: [],
    selectionrevision: ++draws
  })
  if (map) stand(made.layout, name)
  if (made.layout.colorway === undefined) made.layout.font = {...made.layout.font, color: recolour('#22303C')}
  if (!map) box.style.height = h + 'px'
  // the first look at many points takes a second
  const slow = below && !box.dataset.drawn && {part: 'draw', start: -Infinity}
  if (slow) {
    working.add(slow)
    busy()
    await new Promise(painted => requestAnimationFrame(() => setTimeout(painted)))
  }
  try {
    await Plotly.react(box, made.data, made.layout, {
      displaylogo: false,
      responsive: false,
      scrollZoom: !!map,
      displayModeBar: false
    })
  } finally {
    working.delete(slow)
  }
  // the column of the root says nothing that the breadcrumb does not
  box.querySelector('.svg-container').style.marginLeft = columns ? `${-room / (columns - 1)}px` : ''
  box.dataset.drawn = name
  if (box.wired) return
  box.wired = true
  const click = box.dataset.click
  const chosen = p => {
    const c = p.customdata
    return c === undefined ? undefined : Array.isArray(c) ? c.slice() : c
  }
  const take = p => {
    const c = chosen(p)
    if (c === undefined || c === null) return
    if (click === 'item') act({do: 'select', item: +c})
    if (click === 'prefix') act({do: 'prefix', prefix: c === 'root' ? '' : String(c)})
    if (click === 'cell') act({do: 'cell', level: c[0] + 1, code: c[1]})
  }
  if (!click) return
  box.on('plotly_click', e => {
    if (e.points[0]) take(e.points[0])
  })
  for (const kind of ['plotly_icicleclick', 'plotly_treemapclick'])
    box.on(kind, e => {
      if (e.points[0]) take(e.points[0])
      return false
    })
  if (!map) return
  box.on('plotly_selected', e => lasso(name, e))
  box.on('plotly_relayout', e => moved(name, e))
}
let draws = 0
const bases = {} // points under figures, asked once
const numbers = x => {
  // an object whose packed arrays are unpacked
  if (x?.bdata) return unpack(x)
  if (!x || typeof x !== 'object' || Array.isArray(x)) return x
  return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, numbers(v)]))
}
const base = async said => {
  // the points of a map: asked and read once a colour, so that Plotly knows the arrays again
  const [part, name] = said.split(' '),
    key = key_of(part)
  const made = async () => (await early[key]) || points(await ask(part))
  bases[key] ??= made().catch(e => {
    delete bases[key]
    throw e
  })
  return (await bases[key])[name]
}
const key_of = part => `${part} ${state.color} ${dark()}`
const points = got =>
  Object.fromEntries(
    Object.entries(got.figures).map(([n, json]) => [n, numbers(recolour(JSON.parse(json).data[0]))])
  )
const early = {} // points that were asked for while nobody waited; null where there is no map yet
const foresee = () => {
  const key = key_of('maps.points')
  if (!bases[key])
    early[key] = server
      .show({part: 'maps.ahead', state})
      .then(got => (Object.keys(got?.figures || {}).length ? points(got) : null))
      .catch(() => null)
}
const fit = (fig, width) => {
  // the names in a beam tree: as long as the room to the next lines, on a phone the codes alone
  const [from, to] = fig.layout.xaxis.range,
    { beside } = fig.layout.meta,
    last = fig.layout.xaxis.tickvals.length
  for (const t of fig.data) {
    if (!Array.isArray(t.text) || t.name === 'more') continue
    const x = unpack(t.x)
    t.text = t.text.map((text, i) => {
      const inner = x[i] < last,
        most = ((inner ? beside : to - last) * ((width - 16) / (to - from)) - 20) / 6.3, // letters
        code = text.split(' · ')[0],
        all = text.match(/&#?\w+;|./gsu) || []
      if (all.length <= most) return text
      return inner && most < code.length + 6 ? code : all.slice(0, Math.max(most - 1, 5)).join('') + '…'
    })
  }
}
const shorten = (trace, width) => {
  // names in boxes that are so wide; a longer one would not be drawn at all
  const most = Math.floor((width - 8) / 6.2)
  trace.labels = trace.labels.map(t => {
    const all = t.match(/&#?\w+;|./gsu) || []
    return all.length <= most ? t : all.slice(0, Math.max(most - 1, 4)).join('') + '…'
  })
}
const grown = (fig, t) => {
  // a tree up to level t: lines end there, and points beyond it are not there yet
  if (t === undefined) return fig
  for (const trace of fig.data) {
    const x = unpack(trace.x),
      y = unpack(trace.y)
    if (trace.mode === 'lines') {
      trace.x = []
      trace.y = []
      for (let i = 0; i < x.length; i += 3) {
        const share = Math.min((t - x[i]) / (x[i + 1] - x[i]), 1)
        if (share > 0) {
          trace.x.push(x[i], x[i] + share * (x[i + 1] - x[i]), null)
          trace.y.push(y[i], y[i] + share * (y[i + 1] - y[i]), null)
        }
      }
      continue
    }
    const on = x.map(v => v <= t || v < 1) // the root is there from the start
    Object.assign(trace, trimmed(trace, on))
  }
  return fig
}
const trimmed = (o, on) => {
  // every list in it without the points that are not there yet
  const one = v => {
    if (Array.isArray(v) || v?.bdata) return unpack(v).filter((_, i) => on[i])
    return v && typeof v === 'object' ? trimmed(v, on) : v
  }
  return Object.fromEntries(Object.entries(o).map(([k, v]) => [k, one(v)]))
}
root.redraw = draw // for pictures of the tree while it grows
const redraw = () => {
  for (const b of root.querySelectorAll('.figure')) draw(b)
}
let wide = root.clientWidth
new ResizeObserver(() => {
  if (wide === root.clientWidth) return // the page grew longer: no figure is wider
  wide = root.clientWidth
  clearTimeout(redraw.t)
  redraw.t = setTimeout(redraw, 120)
}).observe(root)
let night = dark()
new MutationObserver(() => {
  if (night === dark()) return
  night = dark()
  redraw()
}).observe(document.body, {attributes: true, attributeFilter: ['class']})
const say = text => {
  status.textContent = text
}
