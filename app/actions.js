// Buttons of a panel say what they do in data-*; Python decides what that means.
// To look at something is the event 'select', to change the history the event 'click'.
const looks = ['code', 'up', 'show']
element.addEventListener('click', e => {
  const b = e.target.closest('[data-do]')
  if (b) trigger(looks.includes(b.dataset.do) ? 'select' : 'click', {...b.dataset})
})
// Arrow keys walk through the codes of a heat map.
element.addEventListener('keydown', e => {
  const step = {ArrowRight: 1, ArrowLeft: -1}[e.key], cell = e.target.closest('button.cell')
  if (!step || !cell) return
  const cells = [...cell.parentNode.querySelectorAll('button.cell')]
  cells[(cells.indexOf(cell) + step + cells.length) % cells.length].focus()
})
