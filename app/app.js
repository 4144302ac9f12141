// The page's script is app.js, search.js, figures.js, maps.js and actions.js, one after the other in one
// scope.
// The state of a visit is the address; Python understands it and answers with a view.
const root = element.querySelector('.shell'),
  view = root.querySelector('#view'),
  status = root.querySelector('.status')
const TABS = [...root.querySelectorAll('[role=tab]')],
  HINTS = JSON.parse(root.dataset.hints)
const KEYS = (
  'user history item prefix lasso model beams color by shape level temperature title about other k ' +
  'added shown side tool zoom q find'
).split(' ')
let tab = 'recommend',
  state = {},
  said = {},
  tables = {},
  past = [],
  asked = 0,
  own = {}, // what the browser alone changes and no answer takes back: list, tool, zoom, search
  filled = Promise.resolve() // when the places of the view are filled
const took = {} // part -> ms it took before
const working = new Set() // what is asked now

// ---- the address -------------------------------------------------------------
const read = () => {
  const p = new URLSearchParams(location.search),
    s = {}
  for (const k of KEYS) if (p.has(k)) s[k] = p.get(k)
  if (p.has('temperature')) s.temperature = p.get('temperature').split(',')
  return [TABS.some(t => t.dataset.tab === p.get('tab')) ? p.get('tab') : 'recommend', s]
}
const write = push => {
  const p = new URLSearchParams(location.search)
  for (const k of ['tab', ...KEYS]) p.delete(k)
  p.set('tab', tab)
  for (const [k, v] of Object.entries(said))
    if (v !== null && v !== undefined && KEYS.includes(k)) p.set(k, v)
  const to = '?' + p.toString().replaceAll('%2C', ',') + location.hash
  if (to !== location.search + location.hash) history[push ? 'pushState' : 'replaceState'](null, '', to)
}

const keep = more => {
  // into the address, and nothing is asked
  Object.assign(own, more)
  Object.assign(state, more)
  Object.assign(said, more)
  write(false)
}

// A link to another view does not show the one that came with the page.
if (read()[0] !== 'recommend' || Object.keys(read()[1]).length)
  view.innerHTML = '<p class="note">Computing …</p>'

// ---- asking -------------------------------------------------------------
const ask = async (part, more = {}, have = '') => {
  const work = {part, start: performance.now()}
  working.add(work)
  try {
    const got = await server.show({part, have, state: {...state, ...more}})
    if (!got || got.html === undefined) throw new Error('no answer')
    took[part] = performance.now() - work.start
    return got
  } finally {
    working.delete(work)
  }
}
const bar = root.querySelector('progress')
const busy = () => {
  // what takes longer than half a second has a bar; the last time says how long it will take
  const now = performance.now(),
    long = [...working].filter(w => now - w.start > 500)
  bar.classList.toggle('on', long.length > 0)
  if (!long.length) return
  const share = Math.min(...long.map(w => (took[w.part] ? (now - w.start) / took[w.part] : NaN)))
  if (share < 0.98) bar.value = share
  else bar.removeAttribute('value')
}
setInterval(busy, 150)
const fail = place => {
  place.dataset.mark = ''
  place.innerHTML =
    '<p class="note warn" role="status">The server did not answer: it may be busy or gone. ' +
    '<button type="button" class="do text" data-do="again">Try again</button></p>'
}
const show = async ({push = true, keep = false} = {}) => {
  const mine = ++asked
  view.setAttribute('aria-busy', 'true')
  try {
    const got = await ask(tab, {}, view.dataset.tab === tab ? view.dataset.mark : '')
    if (mine !== asked) return
    state = {...got.state, ...own}
    said = {...got.address, ...own}
    write(push)
    if (got.dropped?.length) say(got.dropped.join(' '))
    view.dataset.tab = tab
    if (got.again) setTimeout(() => mine === asked && show({push: false, keep: true}), got.again * 1000)
    if (got.same) return fill_parts(view)
    view.dataset.mark = got.mark || ''
    fill(view, got, keep)
  } catch (e) {
    if (mine === asked) fail(view)
  } finally {
    if (mine === asked) view.removeAttribute('aria-busy')
  }
}
const fill = (place, got, keep) => {
  const at = keep && [...place.querySelectorAll('.scroll, .found')].map(x => x.scrollTop),
    focused = named(document.activeElement)
  const old = new Map(
    keep ? [...place.querySelectorAll('.later[data-mark]')].map(x => [x.dataset.part, x]) : []
  )
  const drawn = new Map(
    keep ? [...place.querySelectorAll('.figure[data-drawn]')].map(x => [x.dataset.figure, x]) : []
  )
  Object.assign(tables, got.tables)
  place.innerHTML = got.html
  for (const p of place.querySelectorAll('[data-part]'))
    if (old.has(p.dataset.part)) p.replaceWith(old.get(p.dataset.part)) // until its new one is there
  for (const f of place.querySelectorAll('.figure')) {
    // a figure that is only drawn anew keeps its zoom
    const o = drawn.get(f.dataset.figure)
    if (!o || o === f || !got.figures[f.dataset.figure]) continue
    delete o.dataset.drawn
    f.replaceWith(o)
  }
  sides()
  tools()
  if (at)
    [...place.querySelectorAll('.scroll, .found')].forEach((x, i) => {
      x.scrollTop = at[i] || 0
    })
  for (const box of place.querySelectorAll('.figure'))
    if (got.figures[box.dataset.figure]) draw(box, got.figures)
  if (place === view) searched()
  if (focused && !view.contains(document.activeElement)) refocus(focused)
  for (const w of place.querySelectorAll('.wide')) overflow.observe(w)
  fill_parts(place)
}
const fill_parts = place => {
  const parts = Promise.all([...place.querySelectorAll('[data-part]')].map(later))
  if (place === view) filled = parts
}
const overflow = new ResizeObserver(all => {
  for (const {target: w} of all) w.classList.toggle('scrolls', w.scrollWidth > w.clientWidth)
})
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
  } catch (e) {
    if (mine === asked) fail(place)
  }
}
const named = e => {
  // selectors for what has the focus, so that it has it again when the view is new
  if (!e || !view.contains(e) || e === view) return null
  const search = e.closest('.search')?.querySelector('[data-find]') // what was found is gone by then
  const d = Object.entries((search || e).dataset).filter(([k]) =>
    'do item user at key name prefix figure map tool side find level table'.split(' ').includes(k)
  )
  return d.map(([k, v]) => `[data-${k}="${CSS.escape(v)}"]`)
}
const refocus = focused => {
  // what has gone passes the focus on to its like
  for (let n = focused.length; n; n--) {
    const to = view.querySelector(focused.slice(0, n).join(''))
    if (to) return to.focus({preventScroll: true})
  }
  view.focus({preventScroll: true})
}
