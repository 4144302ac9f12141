// The page's one script. The state of a visit is the address; Python understands it and answers with a view.
const root = element.querySelector('.shell'), view = root.querySelector('#view'), status = root.querySelector('.status')
const TABS = [...root.querySelectorAll('[role=tab]')], HINTS = JSON.parse(root.dataset.hints)
const KEYS = ['user', 'history', 'item', 'prefix', 'model', 'beams', 'color', 'by', 'shape', 'level', 'temperature', 'title', 'about', 'other', 'k']
let tab = 'recommend', state = {}, said = {}, tables = {}, past = [], asked = 0

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
const ask = async (part, more = {}) => {
  const got = await server.show({part, state: {...state, ...more}})
  if (!got || got.html === undefined) throw new Error('no answer')
  return got
}
const fail = place => { place.innerHTML = '<p class="note warn" role="status">The server did not answer: it may be busy or gone. <button type="button" class="do text" data-do="again">Try again</button></p>' }
const show = async ({push = true, keep = false} = {}) => {
  const mine = ++asked
  view.setAttribute('aria-busy', 'true')
  try {
    const got = await ask(tab)
    if (mine !== asked) return
    state = got.state
    said = got.address
    write(push)
    fill(view, got, keep)
  } catch (e) { if (mine === asked) fail(view) }
  finally { if (mine === asked) view.removeAttribute('aria-busy') }
}
const fill = (place, got, keep) => {
  const at = keep && [...view.querySelectorAll('.scroll, .found')].map(x => x.scrollTop)
  Object.assign(tables, got.tables)
  place.innerHTML = got.html
  sides()
  if (at) [...view.querySelectorAll('.scroll, .found')].forEach((x, i) => { x.scrollTop = at[i] || 0 })
  for (const box of place.querySelectorAll('.figure')) draw(box, got.figures)
  for (const p of place.querySelectorAll('[data-part]')) later(p)
}
const later = async place => {
  const mine = asked
  try { const got = await ask(place.dataset.part); if (mine === asked) fill(place, got) }
  catch (e) { if (mine === asked) fail(place) }
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
  const name = box.dataset.figure, json = box.all[box.shown || name]
  if (!json || !box.clientWidth) return
  const fig = JSON.parse(json), map = box.dataset.click === 'item' && box.closest('.maps')
  const made = {data: recolour(fig.data), layout: recolour(fig.layout)}
  const h = +made.layout.height || box.clientHeight
  Object.assign(made.layout, {width: box.clientWidth, height: map ? box.clientHeight : h, autosize: false, uirevision: 'same'})
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
  if (click === 'item') box.on('plotly_selected', e => { if (e && e.points.length) lasso(e.points.map(p => +p.customdata)) })
}
const redraw = () => { for (const b of root.querySelectorAll('.figure')) draw(b) }
new ResizeObserver(() => { clearTimeout(redraw.t); redraw.t = setTimeout(redraw, 120) }).observe(root)
new MutationObserver(redraw).observe(document.body, {attributes: true, attributeFilter: ['class']})
const lasso = ids => { for (const b of view.querySelectorAll('.maps .figure')) Plotly.restyle(b, {selectedpoints: [unpack(b.data[0].customdata).map((c, i) => ids.includes(+c) ? i : -1).filter(i => i >= 0)]}, [0]); say(`${ids.length} items are selected; the others are dimmed.`) }
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
  cell: (s, d) => ({level: number(d.level), prefix: number(d.level) === 1 ? [number(d.code)] : s.prefix.slice(0, number(d.level) - 1).concat(number(d.code))}),
  set: (s, d) => ({[d.key]: d.value}),
}
const act = async d => {
  if (d.do === 'undo') { if (past.length) { state = past.pop(); await show({push: false}) } else say('There is nothing to undo.'); return }
  if (d.do === 'again') return show()
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
  for (const name of [...Object.keys(box.all).filter(k => /^beam\d/.test(k)).sort(), 'beam']) { box.shown = name; await draw(box); box.grown = name; await new Promise(r => setTimeout(r, 900)) }
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
  fill(view, start)
  return write(false)
}
const ready = () => window.Plotly ? begin() : setTimeout(ready, 30)
ready()
