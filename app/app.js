// The page's one script. The state of a visit is the address; Python understands it and answers with a view.
const root = element.querySelector('.shell'), view = root.querySelector('#view'), status = root.querySelector('.status')
const TABS = [...root.querySelectorAll('[role=tab]')], HINTS = JSON.parse(root.dataset.hints)
const KEYS = ['user', 'history', 'item', 'prefix', 'lasso', 'model', 'beams', 'color', 'by', 'shape', 'level', 'temperature', 'title', 'about', 'other', 'k']
let tab = 'recommend', state = {}, said = {}, tables = {}, past = [], asked = 0
const took = {}, working = new Set(), bases = {}   // ms of each part before; what is asked now; points under figures

// ---- the address -------------------------------------------------------------------------------------------
const read = () => {
  const p = new URLSearchParams(location.search), s = {}
  for (const k of KEYS) if (p.has(k)) s[k] = p.get(k)
  if (p.has('temperature')) s.temperature = p.get('temperature').split(',')
  return [TABS.some(t => t.dataset.tab === p.get('tab')) ? p.get('tab') : 'recommend', s]
}
const write = push => {
  const p = new URLSearchParams(location.search)
  for (const k of ['tab', ...KEYS]) p.delete(k)
  p.set('tab', tab)
  for (const [k, v] of Object.entries(said)) if (v !== null && v !== undefined && KEYS.includes(k)) p.set(k, v)
  const to = '?' + p.toString().replaceAll('%2C', ',') + location.hash
  if (to !== location.search + location.hash) history[push ? 'pushState' : 'replaceState'](null, '', to)
}

// ---- asking ------------------------------------------------------------------------------------------------
const ask = async (part, more = {}, have = '') => {
  const work = {part, start: performance.now()}
  working.add(work)
  try {
    const got = await server.show({part, have, state: {...state, ...more}})
    if (!got || got.html === undefined) throw new Error('no answer')
    took[part] = performance.now() - work.start
    return got
  } finally { working.delete(work) }
}
const bar = root.querySelector('progress')
setInterval(() => {   // what takes longer than half a second has a bar; the last time says how long it will take
  const now = performance.now(), long = [...working].filter(w => now - w.start > 500)
  bar.classList.toggle('on', long.length > 0)
  if (!long.length) return
  const share = Math.min(...long.map(w => took[w.part] ? (now - w.start) / took[w.part] : NaN))
  if (share < .98) bar.value = share
  else bar.removeAttribute('value')
}, 150)
const fail = place => { place.dataset.mark = ''; place.innerHTML = '<p class="note warn" role="status">The server did not answer: it may be busy or gone. <button type="button" class="do text" data-do="again">Try again</button></p>' }
const show = async ({push = true, keep = false} = {}) => {
  const mine = ++asked
  view.setAttribute('aria-busy', 'true')
  try {
    const got = await ask(tab, {}, view.dataset.tab === tab ? view.dataset.mark : '')
    if (mine !== asked) return
    state = got.state
    said = got.address
    write(push)
    view.dataset.tab = tab
    if (got.again) setTimeout(() => mine === asked && show({push: false, keep: true}), got.again * 1000)
    if (got.same) return fill_parts(view)
    view.dataset.mark = got.mark || ''
    fill(view, got, keep)
  } catch (e) { if (mine === asked) fail(view) }
  finally { if (mine === asked) view.removeAttribute('aria-busy') }
}
const fill = (place, got, keep) => {
  const at = keep && [...place.querySelectorAll('.scroll, .found')].map(x => x.scrollTop), focused = named(document.activeElement)
  const old = new Map(keep ? [...place.querySelectorAll('.later[data-mark]')].map(x => [x.dataset.part, x]) : [])
  const drawn = new Map(keep ? [...place.querySelectorAll('.figure[data-drawn]')].map(x => [x.dataset.figure, x]) : [])
  Object.assign(tables, got.tables)
  place.innerHTML = got.html
  for (const p of place.querySelectorAll('[data-part]')) if (old.has(p.dataset.part)) p.replaceWith(old.get(p.dataset.part))   // until its new one is there
  for (const f of place.querySelectorAll('.figure')) {   // a figure that is only drawn anew keeps its zoom
    const o = drawn.get(f.dataset.figure)
    if (!o || o === f || !got.figures[f.dataset.figure]) continue
    delete o.dataset.drawn
    f.replaceWith(o)
  }
  sides()
  if (at) [...place.querySelectorAll('.scroll, .found')].forEach((x, i) => { x.scrollTop = at[i] || 0 })
  for (const box of place.querySelectorAll('.figure')) if (got.figures[box.dataset.figure]) draw(box, got.figures)
  if (focused && !view.contains(document.activeElement)) view.querySelector(focused)?.focus({preventScroll: true})
  fill_parts(place)
}
const fill_parts = place => { for (const p of place.querySelectorAll('[data-part]')) later(p) }
const later = async place => {
  const mine = asked
  if (place.dataset.mark) place.classList.add('stale')
  try {
    const got = await ask(place.dataset.part, {}, place.dataset.mark)
    if (mine !== asked) return
    place.classList.remove('stale')
    if (got.again) setTimeout(() => mine === asked && place.isConnected && later(place), got.again * 1000)
    if (got.same) return
    place.dataset.mark = got.mark || ''
    fill(place, got, true)
  } catch (e) { if (mine === asked) fail(place) }
}
const named = e => {   // a selector for what has the focus, so that it has it again when the view is new
  if (!e || !view.contains(e) || e === view) return ''
  const d = Object.entries(e.dataset).filter(([k]) => ['do', 'item', 'user', 'at', 'key', 'figure', 'side', 'find', 'level', 'table'].includes(k))
  return d.map(([k, v]) => `[data-${k}="${CSS.escape(v)}"]`).join('')
}

// ---- figures -----------------------------------------------------------------------------------------------
const dark = () => document.body.classList.contains('dark')
const recolour = x => {
  if (Array.isArray(x)) return x.map(recolour)
  if (x && typeof x === 'object') return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, recolour(v)]))
  if (typeof x !== 'string') return x
  const name = props.colours[x]
  return name ? getComputedStyle(root).getPropertyValue(name).trim() || x : x
}
const TYPES = {i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array}
const unpack = a => a && a.bdata ? Array.from(new TYPES[a.dtype](Uint8Array.from(atob(a.bdata), c => c.charCodeAt(0)).buffer)) : a || []
const draw = async (box, all) => {
  box.all = all || box.all
  const name = box.dataset.figure, json = box.all[name]
  if (!json || !box.clientWidth) return
  const fig = grown(JSON.parse(json), box.at), map = box.dataset.click === 'item' && box.closest('.maps')
  if (box.dataset.base) fig.data = [{...await base(box.dataset.base), selectedpoints: fig.layout.meta?.lit ?? undefined}, ...fig.data]
  if (!box.isConnected) return
  if (box.clientWidth < 640) for (const t of fig.data) if (name === 'beam' && Array.isArray(t.text)) t.text = t.text.map(x => x.split(' · ')[0].slice(0, 14))
  const made = {data: recolour(fig.data), layout: recolour(fig.layout)}
  const h = +made.layout.height || box.clientHeight
  Object.assign(made.layout, {width: box.clientWidth, height: map ? box.clientHeight : h, autosize: false, uirevision: 'same', selections: [], selectionrevision: ++draws})
  if (made.layout.colorway === undefined) made.layout.font = {...made.layout.font, color: recolour('#22303C')}
  if (!map) box.style.height = h + 'px'
  await Plotly.react(box, made.data, made.layout, {displaylogo: false, responsive: false, scrollZoom: !!map, displayModeBar: map ? 'hover' : false, modeBarButtonsToRemove: ['toImage', 'autoScale2d']})
  box.dataset.drawn = name
  if (box.wired) return
  box.wired = true
  const click = box.dataset.click
  const chosen = p => { const c = p.customdata; return c === undefined ? undefined : Array.isArray(c) ? c.slice() : c }
  const take = p => {
    const c = chosen(p)
    if (c === undefined || c === null) return
    if (click === 'item') act({do: 'select', item: +c})
    if (click === 'prefix') act({do: 'prefix', prefix: c === 'root' ? '' : String(c)})
    if (click === 'cell') act({do: 'cell', level: c[0] + 1, code: c[1]})
  }
  if (!click) return
  box.on('plotly_click', e => { if (e.points[0]) take(e.points[0]) })
  for (const kind of ['plotly_icicleclick', 'plotly_treemapclick']) box.on(kind, e => { if (e.points[0]) take(e.points[0]); return false })
  if (map) box.on('plotly_selected', e => lasso(name, e))
}
let draws = 0
const base = async said => {   // the points of a map: asked once a colour
  const [part, name] = said.split(' '), key = `${part} ${state.color}`
  bases[key] ??= ask(part).then(got => got.figures).catch(e => { delete bases[key]; throw e })
  return JSON.parse((await bases[key])[name]).data[0]
}
const grown = (fig, t) => {   // a tree up to level t: lines end there, and points beyond it are not there yet
  if (t === undefined) return fig
  for (const trace of fig.data) {
    const x = unpack(trace.x), y = unpack(trace.y)
    if (trace.mode === 'lines') {
      trace.x = []
      trace.y = []
      for (let i = 0; i < x.length; i += 3) {
        const share = Math.min((t - x[i]) / (x[i + 1] - x[i]), 1)
        if (share > 0) { trace.x.push(x[i], x[i] + share * (x[i + 1] - x[i]), null); trace.y.push(y[i], y[i] + share * (y[i + 1] - y[i]), null) }
      }
      continue
    }
    const on = x.map(v => v <= t), only = v => unpack(v).filter((_, i) => on[i])
    for (const k of ['x', 'y', 'text', 'customdata', 'hovertext']) if (trace[k] && typeof trace[k] === 'object') trace[k] = only(trace[k])
    if (trace.marker && typeof trace.marker.size === 'object') trace.marker.size = only(trace.marker.size)
  }
  return fig
}
root.redraw = draw   // for pictures of the tree while it grows
const redraw = () => { for (const b of root.querySelectorAll('.figure')) draw(b) }
new ResizeObserver(() => { clearTimeout(redraw.t); redraw.t = setTimeout(redraw, 120) }).observe(root)
new MutationObserver(redraw).observe(document.body, {attributes: true, attributeFilter: ['class']})
const lasso = (name, e) => {   // its corners go into the address, and Python says what lies within
  const box = e && e.range && Object.values(e.range), free = e && e.lassoPoints && Object.values(e.lassoPoints)
  if (!box && !free) return
  let [x, y] = free || [[box[0][0], box[0][1], box[0][1], box[0][0]], [box[1][0], box[1][0], box[1][1], box[1][1]]]
  const step = Math.ceil(x.length / 60), corners = x.map((_, i) => [x[i], y[i]]).filter((_, i) => i % step === 0)
  if (corners.length > 2) act({do: 'lasso', lasso: [name === 'map2' ? 2 : 1, ...corners.flat().map(v => +v.toFixed(3))]})
}
const say = text => { status.textContent = text }

// ---- actions -----------------------------------------------------------------------------------------------
const number = x => +x
const CHANGES = {   // each takes the state and what the button says, and gives what changes
  tab: (s, d) => { tab = d.tab; mark(); return {} },
  select: (s, d) => ({item: number(d.item)}),
  add: (s, d) => ({history: [...s.history, number(d.item)]}),
  remove: (s, d) => ({history: s.history.filter((_, i) => i !== number(d.at))}),
  move: (s, d) => { const h = [...s.history], [x] = h.splice(number(d.at), 1); h.splice(number(d.to), 0, x); return {history: h} },
  clear: () => ({history: [], user: null}),
  restore: () => ({history: null}),
  user: (s, d) => ({user: number(d.user), history: null, item: null}),
  prefix: (s, d) => ({prefix: d.prefix ? d.prefix.split(',').map(number) : []}),
  cell: (s, d) => ({level: number(d.level), prefix: [...Array(number(d.level) - 1).fill(-1), number(d.code)]}),   // -1: any code
  lasso: (s, d) => ({lasso: d.lasso}),
  dark: () => ({prefix: [], lasso: []}),
  set: (s, d) => ({[d.key]: d.value}),
}
const act = async d => {
  if (d.do === 'undo') { if (past.length) { state = past.pop(); await show({push: false}) } else say('There is nothing to undo.'); return }
  if (d.do === 'again') return show()
  if (d.do === 'csv' && d.source) Object.assign(tables, (await ask(d.source)).tables)
  if (d.do === 'csv') return save(new Blob([tables[d.table] || ''], {type: 'text/csv'}), `${d.table}.csv`)
  if (d.do === 'save') return
  if (d.do === 'side') { for (const x of view.querySelectorAll('.sides')) x.dataset.side = d.side; return sides() }
  if (d.do === 'grow') return grow()
  if (d.do === 'dismiss') { try { localStorage.setItem('hint-' + tab, '1') } catch {} hint(); return }
  const change = CHANGES[d.do]
  if (!change) return
  const before = state, more = change(state, d)
  if (d.do !== 'tab') past = [...past.slice(-49), before]
  state = {...state, ...more}
  if (['add', 'remove', 'move', 'clear', 'user', 'restore'].includes(d.do) && 'history' in more) state.q = ''
  await show({keep: d.do !== 'tab' && d.do !== 'user'})
  if (d.do === 'select' && innerWidth < 760) view.querySelector('.card, .later')?.scrollIntoView({behavior: 'smooth', block: 'start'})
  if (d.do === 'tab' && !TABS.includes(document.activeElement)) view.focus({preventScroll: true})   // the arrow keys stay on the tabs
}
const sides = () => {   // on a phone one list is seen at a time
  for (const x of view.querySelectorAll('.sides')) {
    for (const y of x.querySelectorAll('.side')) y.classList.toggle('off', y.dataset.name !== x.dataset.side)
    for (const b of view.querySelectorAll('[data-do=side]')) b.setAttribute('aria-pressed', String(b.dataset.side === x.dataset.side))
  }
}
const save = (blob, name) => { const a = document.createElement('a'); a.href = URL.createObjectURL(blob); a.download = name; a.click(); setTimeout(() => URL.revokeObjectURL(a.href), 5000) }
const grow = async () => {
  const box = view.querySelector('[data-figure=beam]')
  if (!box || !box.all) return
  const last = Math.max(...JSON.parse(box.all.beam).data.flatMap(t => unpack(t.x))), step = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1 : 1 / 12
  for (let t = 0; t < last && box.isConnected; t += step) { box.at = t; await draw(box); await new Promise(r => setTimeout(r, t % 1 > 1e-6 && step < 1 ? 30 : 500)) }
  delete box.at
  await draw(box)
  box.dataset.grown = 'yes'
}
const mark = () => { for (const t of TABS) { const on = t.dataset.tab === tab; t.setAttribute('aria-selected', on); t.tabIndex = on ? 0 : -1 } hint() }
const hint = () => {
  const box = root.querySelector('.hint')
  let seen = false
  try { seen = localStorage.getItem('hint-' + tab) } catch {}
  box.hidden = !!seen
  box.textContent = HINTS[tab] + ' '
  if (!seen) box.insertAdjacentHTML('beforeend', '<button type="button" class="do text" data-do="dismiss">Got it</button>')
}

root.addEventListener('click', e => {
  const b = e.target.closest('[data-do]')
  if (!b) return
  if (b.dataset.do === 'save') {
    const box = b.closest('.drawing').querySelector('.figure')
    Plotly.downloadImage(box, {format: b.dataset.format, filename: box.dataset.figure, width: box.clientWidth, height: box.clientHeight, scale: b.dataset.format === 'png' ? 2 : 1})
  } else act({...b.dataset})
})
let typing
root.addEventListener('input', e => {
  const box = e.target
  if (box.dataset.find) {
    clearTimeout(typing)
    typing = setTimeout(async () => {
      const place = box.closest('.search').querySelector('.results'), q = box.value
      try { const got = await ask('find.' + box.dataset.find, {q}); if (box.value === q) place.innerHTML = got.html } catch { fail(place) }
    }, 150)
  }
  if (box.type === 'range') { const out = box.parentNode.querySelector('output'); if (out) out.textContent = (+box.value).toFixed(2) }
})
root.addEventListener('change', e => {
  const box = e.target
  if (box.dataset.level !== undefined && box.type === 'range') {
    const t = [...view.querySelectorAll('input[type=range][data-level]')].map(x => +x.value)
    return act({do: 'set', key: 'temperature', value: t})
  }
  if (box.dataset.key && !box.form) act({do: 'set', key: box.dataset.key, value: box.value})
})
root.addEventListener('submit', e => {
  e.preventDefault()
  const more = Object.fromEntries([...e.target.querySelectorAll('[data-key]')].map(x => [x.dataset.key, x.value]))
  past = [...past.slice(-49), state]
  state = {...state, ...more}
  show()
})
root.addEventListener('keydown', e => {
  const i = TABS.indexOf(e.target)
  const step = {ArrowRight: 1, ArrowLeft: -1, Home: -i, End: TABS.length - 1 - i}[e.key]
  if (i >= 0 && step !== undefined) { e.preventDefault(); const t = TABS[(i + step + TABS.length) % TABS.length]; t.focus(); act({...t.dataset}) }
  if (e.key === 'Escape' && e.target.dataset.find) { e.target.value = ''; e.target.closest('.search').querySelector('.results').innerHTML = '' }
  if (e.key === 'z' && (e.ctrlKey || e.metaKey) && !/INPUT|TEXTAREA/.test(e.target.tagName)) { e.preventDefault(); act({do: 'undo'}) }
})
root.addEventListener('dragstart', e => { const li = e.target.closest('li[data-at]'); if (li) e.dataTransfer.setData('text/plain', li.dataset.at) })
root.addEventListener('dragover', e => { if (e.target.closest('li[data-at]')) e.preventDefault() })
root.addEventListener('drop', e => {
  const li = e.target.closest('li[data-at]'), from = e.dataTransfer.getData('text/plain')
  if (li && /^\d+$/.test(from)) { e.preventDefault(); act({do: 'move', at: from, to: li.dataset.at}) }
})
window.addEventListener('popstate', () => { [tab, state] = read(); mark(); show({push: false}) })

// ---- first view --------------------------------------------------------------------------------------------
const begin = () => {
  const [name, s] = read(), start = JSON.parse(props.start)
  tab = name
  mark()
  if (Object.keys(s).length || tab !== 'recommend') { state = s; if (!('user' in s) && !('history' in s)) state.user = start.state.user; return show({push: false}) }
  state = start.state
  said = start.address
  view.dataset.tab = tab
  fill(view, start)
  return write(false)
}
const ready = () => window.Plotly ? begin() : setTimeout(ready, 30)
ready()
