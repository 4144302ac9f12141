// Buttons of a panel say what they do in data-*; Python's `act` decides what that means.
element.addEventListener('click', e => {
  const b = e.target.closest('[data-do]')
  if (b) trigger('click', {...b.dataset})
})
// Arrow keys walk through the codes of a heat map.
element.addEventListener('keydown', e => {
  const step = {ArrowRight: 1, ArrowLeft: -1}[e.key], cell = e.target.closest('button.cell')
  if (!step || !cell) return
  const cells = [...cell.parentNode.querySelectorAll('button.cell')]
  cells[(cells.indexOf(cell) + step + cells.length) % cells.length].focus()
})
