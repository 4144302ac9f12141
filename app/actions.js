// ---- actions -------------------------------------------------------------
const number = x => +x
const CHANGES = {
  // each takes the state and what the button says, and gives what changes
  tab: (s, d) => {
    tab = d.tab
    mark()
    return {}
  },
  select: (s, d) => ({item: number(d.item)}),
  add: (s, d) => ({history: [...s.history, number(d.item)]}),
  remove: (s, d) => ({history: s.history.filter((_, i) => i !== number(d.at))}),
  move: (s, d) => {
    const h = [...s.history],
      [x] = h.splice(number(d.at), 1)
    h.splice(number(d.to), 0, x)
    return {history: h}
  },
  clear: () => ({history: [], user: null}),
  restore: () => ({history: null}),
  user: (s, d) => ({user: number(d.user), history: null, item: null}),
  prefix: (s, d) => ({prefix: d.prefix ? d.prefix.split(',').map(number) : []}),
  cell: (s, d) => ({
    level: number(d.level),
    prefix: [...Array(number(d.level) - 1).fill(-1), number(d.code)] // -1: any code
  }),
  lasso: (s, d) => ({lasso: d.lasso}),
  dark: () => ({prefix: [], lasso: []}),
  set: (s, d) => ({[d.key]: d.value}),
  toggle: (s, d) => {
    const on = new Set(s.shown.length ? s.shown : d.all.split(','))
    if (!on.delete(d.name)) on.add(d.name)
    if (!on.size) {
      say('One bundle has to stay.')
      return {}
    }
    return {shown: on.size === d.all.split(',').length ? [] : [...on]}
  }
}
const NARROW = 760
const act = async d => {
  say('')
  if (d.do === 'undo') {
    if (past.length) {
      state = past.pop()
      await show({push: false})
    } else say('There is nothing to undo.')
    return
  }
  if (d.do === 'again') return show()
  if (d.do === 'api') return document.querySelector('footer .show-api').click()
  if (d.do === 'csv' && d.source) Object.assign(tables, (await ask(d.source)).tables)
  if (d.do === 'csv') return save(new Blob([tables[d.table] || ''], {type: 'text/csv'}), `${d.table}.csv`)
  if (d.do === 'save') return
  if (d.do === 'tool') return tool(d)
  if (d.do === 'side') {
    keep({side: d.side})
    return sides()
  }
  if (d.do === 'grow') return grow()
  if (d.do === 'dismiss') {
    try {
      localStorage.setItem('hint-' + tab, '1')
    } catch {}
    hint()
    return view.focus({preventScroll: true})
  }
  const change = CHANGES[d.do]
  if (!change) return
  const before = state,
    more = change(state, d)
  if (d.do !== 'tab') past = [...past.slice(-49), before]
  state = {...state, ...more}
  const top = scrollY
  await show({keep: d.do !== 'tab' && d.do !== 'user'})
  if (d.do === 'add') say(d.label.replace('Add', 'Added'))
  if (innerWidth < NARROW) reach(d.do === 'dark' ? 'prefix' : d.key === 'added' ? 'added' : d.do, top)
  // the link that led here is gone with the old view; a late answer takes the focus from nothing else
  if (d.do === 'tab' && document.activeElement === document.body) view.focus({preventScroll: true})
}
const reach = async (what, top) => {
  // on a phone the result of a tap comes into sight, unless one has scrolled on meanwhile
  await filled
  const place = [...view.querySelectorAll(`[data-result~="${what}"]`)].find(x => x.offsetHeight)
  if (!place || Math.abs(scrollY - top) > 2) return
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches
  place.scrollIntoView({behavior: still ? 'auto' : 'smooth', block: 'start'})
}
const sides = () => {
  // on a phone one list is seen at a time
  for (const x of view.querySelectorAll('.sides')) {
    const all = [...x.querySelectorAll('.side')],
      on = all.some(y => y.dataset.name === state.side) ? state.side : x.dataset.side
    for (const y of all) y.classList.toggle('off', y.dataset.name !== on)
    for (const b of view.querySelectorAll('[data-do=side]'))
      b.setAttribute('aria-pressed', String(b.dataset.side === on))
  }
}
const save = (blob, name) => {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(blob)
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 5000)
}
const grow = async () => {
  const box = view.querySelector('[data-figure=beam]')
  if (!box || !box.all) return
  const last = Math.max(...JSON.parse(box.all.beam).data.flatMap(t => unpack(t.x))),
    step = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1 : 1 / 12
  for (let t = 0; t < last && box.isConnected; t += step) {
    box.at = t
    await draw(box)
    await new Promise(r => setTimeout(r, t % 1 > 1e-6 && step < 1 ? 30 : 500))
  }
  delete box.at
  await draw(box)
  box.dataset.grown = 'yes'
}
const mark = () => {
  for (const t of TABS) {
    const on = t.dataset.tab === tab
    t.setAttribute('aria-selected', on)
    t.tabIndex = on ? 0 : -1
    if (on) t.parentNode.scrollLeft = t.offsetLeft - t.parentNode.offsetLeft - 40 // on a phone
  }
  hint()
}
const hint = () => {
  const box = root.querySelector('.hint')
  let seen = false
  try {
    seen = localStorage.getItem('hint-' + tab)
  } catch {}
  box.hidden = !!seen
  box.querySelector('span').textContent = HINTS[tab]
}

root.addEventListener('click', e => {
  const b = e.target.closest('[data-do]')
  if (!b) return
  if (b.dataset.do === 'save') {
    const box = b.closest('.drawing').querySelector('.figure')
    Plotly.downloadImage(box, {
      format: b.dataset.format,
      filename: box.dataset.figure,
      width: box.clientWidth,
      height: box.clientHeight,
      scale: b.dataset.format === 'png' ? 2 : 1
    })
  } else if (b.dataset.do !== 'add' || e.detail < 2)
    act({...b.dataset, label: b.getAttribute('aria-label')}) // a double click adds once
  if (b.closest('.results')) keep({q: null, find: null})
})
let typing
root.addEventListener('input', e => {
  const box = e.target
  if (box.dataset.find) {
    clearTimeout(typing)
    typing = setTimeout(() => {
      keep({q: box.value || null, find: box.value ? box.dataset.find : null})
      find(box)
    }, 150)
  }
  if (box.type === 'range') {
    const out = box.parentNode.querySelector('output')
    if (out) out.textContent = (+box.value).toFixed(2)
  }
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
  const more = Object.fromEntries(
    [...e.target.querySelectorAll('[data-key]')].map(x => [x.dataset.key, x.value])
  )
  past = [...past.slice(-49), state]
  state = {...state, ...more}
  const top = scrollY
  show().then(() => innerWidth < NARROW && reach('encode', top))
})
root.addEventListener('keydown', e => {
  const i = TABS.indexOf(e.target)
  const step = {ArrowRight: 1, ArrowLeft: -1, Home: -i, End: TABS.length - 1 - i}[e.key]
  if (i >= 0 && step !== undefined) {
    e.preventDefault()
    const t = TABS[(i + step + TABS.length) % TABS.length]
    t.focus()
    act({...t.dataset})
  }
  const search = e.target.closest('.search')
  if (search) walk(search, e)
})
document.addEventListener('keydown', e => {
  if (e.key === 'z' && (e.ctrlKey || e.metaKey) && !/INPUT|TEXTAREA/.test(e.target.tagName)) {
    e.preventDefault()
    act({do: 'undo'})
  }
})
root.addEventListener('dragstart', e => {
  const li = e.target.closest('li[data-at]')
  if (li) e.dataTransfer.setData('text/plain', li.dataset.at)
})
root.addEventListener('dragover', e => {
  if (e.target.closest('li[data-at]')) e.preventDefault()
})
root.addEventListener('drop', e => {
  const li = e.target.closest('li[data-at]'),
    from = e.dataTransfer.getData('text/plain')
  if (li && /^\d+$/.test(from)) {
    e.preventDefault()
    act({do: 'move', at: from, to: li.dataset.at})
  }
})
window.addEventListener('popstate', () => {
  const now = read()
  tab = now[0]
  state = now[1]
  own = {}
  past = [] // going back has undone what could be undone
  mark()
  show({push: false})
})

// ---- first view -------------------------------------------------------------
const begin = async () => {
  const [name, s] = read(),
    start = JSON.parse(props.start)
  tab = name
  mark()
  if (Object.keys(s).length || tab !== 'recommend') {
    state = s
    if (!('user' in s) && !('history' in s)) state.user = start.state.user
    return show({push: false})
  }
  state = start.state
  said = start.address
  view.dataset.tab = tab
  fill(view, start)
  return write(false)
}
const ready = () => (window.Plotly ? begin() : new Promise(r => setTimeout(r, 30)).then(ready))
const idle = window.requestIdleCallback || setTimeout
ready().then(() => filled.then(() => idle(foresee)))
