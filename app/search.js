// ---- searches -------------------------------------------------------------
const find = async box => {
  const place = box.closest('.search').querySelector('.results'),
    q = box.value
  try {
    const got = await ask('find.' + box.dataset.find, {q})
    if (box.value === q) place.innerHTML = got.html
  } catch {
    fail(place)
  }
}
const searched = () => {
  // a search that the address tells of
  const box = state.q && view.querySelector(`[data-find="${state.find}"]`)
  if (!box || box.value) return
  box.value = state.q
  find(box)
}
const walk = (search, e) => {
  // arrows go from the box into what was found and back; Escape empties both
  const box = search.querySelector('[data-find]'),
    found = [box, ...search.querySelectorAll('.results button')]
  const to = found[found.indexOf(e.target) + {ArrowDown: 1, ArrowUp: -1}[e.key]]
  if (to) {
    e.preventDefault()
    to.focus()
  }
  if (e.key !== 'Escape') return
  box.value = ''
  search.querySelector('.results').innerHTML = ''
  keep({q: null, find: null})
  box.focus()
}
for (const kind of ['pointerdown', 'focusin'])
  document.addEventListener(kind, e => {
    // what was found goes where one is busy elsewhere
    for (const found of view.querySelectorAll('.search .results:not(:empty)'))
      if (!found.parentNode.contains(e.target)) {
        found.innerHTML = ''
        keep({q: null, find: null})
      }
    const box = e.target.dataset?.find && e.target, // and comes back with the box
      empty = box && !box.closest('.search').querySelector('.results').innerHTML
    if (kind === 'focusin' && box?.value && empty) find(box)
  })
