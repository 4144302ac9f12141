"""What a visitor sees of the app, tab by tab. A check is a function of a `Visit`, in the order of a visitor's
acts: add one with `@check` above the last two, which look back over the whole visit."""
import json, re, shutil, socket, tempfile, threading, time
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from http.client import HTTPConnection
from itertools import combinations
from pathlib import Path

import numpy as np
from browser import REPO, SHOTS, after, check
from playwright.sync_api import expect

READY = """() => document.querySelector('#view[data-tab]')
  && document.querySelector('#view').dataset.tab
    === document.querySelector('[role=tab][aria-selected=true]')?.dataset.tab
  && !document.querySelector('#view[aria-busy], .waiting, .stale')
  && [...document.querySelectorAll('.figure')].every(b => b.dataset.drawn)"""

@cache
def shop():
    "The sample."
    from tiger_nb.data import load
    return load('sample')

def title(item): return shop().items['title'][item]

def opened(v, tab, **state):
    "A tab by its address, once everything in it is drawn."
    asked = '&'.join([f'tab={tab}', *(f'{k}={x}' for k, x in state.items())])
    v.page.goto(f'{v.url}/?{asked}')
    ready(v)
    return v.page.locator('#view')

def ready(v): v.page.wait_for_function(READY, timeout=60_000)

def tab(v, name):
    v.page.get_by_role('tab', name=name, exact=True).click()
    expect(v.page.get_by_role('tab', name=name, exact=True)).to_have_attribute('aria-selected', 'true')
    ready(v)

def ranked(v, model, history=None):
    "A model's list for this history, once it is there."
    made = '' if history is None else f'[data-history="{",".join(map(str, history))}"]'
    rows = v.page.locator(f'#{model}-list ol{made} > li')
    expect(rows).to_have_count(10, timeout=30_000)
    return rows.evaluate_all('rows => rows.map(r => +r.dataset.item)')

def shown_history(v):
    "Item ids of the history on the page, the oldest first."
    return v.page.locator('#history [data-do=select]').evaluate_all('b => b.map(x => +x.dataset.item)')[::-1]

def find_item(v, box, query, item):
    "Type a query and take an item from what is found."
    v.page.get_by_label(box).fill(query)
    v.page.locator(f'.found [data-item="{item}"]:visible').click(timeout=20_000)
    ready(v)

@check
def page_opens_on_a_user_whose_item_is_found(v):
    v.page.goto(v.url)
    expect(v.page).to_have_title(re.compile('tiger', re.I))
    expect(v.page.locator('#tiger-list .verdict')).to_contain_text('rank', timeout=20_000)
    expect(v.page.locator('#view')).to_contain_text('chosen: its held-out item is found')
    v.page.wait_for_url('**user=*')
    v.page.get_by_text('A miss', exact=True).click()
    expect(v.page.locator('#tiger-list .verdict')).to_contain_text('not in the top', timeout=20_000)

@check
def a_user_and_the_held_out_item(v):
    opened(v, 'recommend')
    split = shop().split
    for e in range(3):
        history, target = split.test.row(e).tolist(), int(split.test_targets[e])
        v.page.get_by_label('Choose a user').fill(str(split.users[e]))
        v.page.locator(f'.found [data-user="{e}"]').click()
        expect(v.page.locator('.held')).to_contain_text(title(target))
        for model in ('tiger', 'sasrec'):
            items, said = ranked(v, model, history), v.page.locator(f'#{model}-list .verdict')
            assert not set(items) & set(history), f'{model} recommends what user {e} has'
            place = items.index(target) + 1 if target in items else 0
            want = f'★ held-out item: rank {place}' if place else re.compile('not in')
            expect(said).to_have_text(want)
            expect(v.page.locator(f'#{model}-list .seal')).to_contain_text(re.compile('prov'))

@check
def a_history_is_edited_and_undone(v):
    opened(v, 'recommend', user=0)
    history = shop().split.test.row(0).tolist()
    before = [ranked(v, m, history) for m in ('tiger', 'sasrec')]
    new = next(i for i in before[0] + before[1] if i not in history)
    find_item(v, 'Add an item', title(new), new)
    expect(v.page.locator('#view')).to_contain_text('no held-out item')
    assert before != [ranked(v, m, [*history, new]) for m in ('tiger', 'sasrec')], 'the same lists'
    v.page.locator('#history [data-do=move]').first.click()
    ranked(v, 'tiger', [*history[:-1], new, history[-1]])
    v.page.locator('#history [data-do=remove]').first.click()
    ranked(v, 'tiger', [*history[:-1], new])
    v.page.locator('[data-do=undo]').click()
    ranked(v, 'tiger', [*history[:-1], new, history[-1]])
    first, last = v.page.locator('#history li').first, v.page.locator('#history li').last
    first.drag_to(last)
    ranked(v, 'tiger', [history[-1], *history[:-1], new])
    v.page.locator('[data-do=restore]').click()
    assert before == [ranked(v, m, history) for m in ('tiger', 'sasrec')], 'the same history, other lists'
    v.page.locator('[data-do=clear]').click()
    expect(v.page.locator('#view')).to_contain_text('The lists appear as soon as the history has an item')
    v.page.go_back()
    ranked(v, 'tiger', history)
    v.page.locator('#tiger-list [data-do=add]').first.dblclick()
    ranked(v, 'tiger', [*history, before[0][0]])
    v.page.wait_for_function("document.activeElement.dataset.do === 'add'", timeout=20_000)   # of the next
    v.page.go_back()
    ranked(v, 'tiger', history)
    v.page.keyboard.press('Control+z')   # going back has undone it already
    expect(v.page.locator('.status')).to_have_text('There is nothing to undo.')

@check
def the_beam_tree_explains_the_list(v):
    opened(v, 'recommend', user=0, beams=5)
    points = v.page.locator('[data-figure=beam]').evaluate(
        "b => b._fullData.filter(t => t.name === 'kept').flatMap(t => [...t.x])")
    assert points, 'no prefix is drawn'
    mass = v.page.locator('.later[data-part="recommend.beam"] tbody tr').evaluate_all(
        'r => r.map(x => [...x.children].map(c => +c.textContent))')
    whole = 100
    for level, kept, pruned, seen, invalid in mass:
        assert abs(kept + pruned + seen + invalid - whole) < .05, f'level {level} loses probability'
        whole = kept
    said = v.page.locator('[data-part="recommend.lost"] .verdict').inner_text()
    assert re.search(r'stays to the end|fell out of the beam at level \d', said), said
    expect(v.page.locator('[data-figure=change] .plot-container')).to_be_visible()
    v.page.locator('[data-do=grow]').click()
    v.page.wait_for_function("document.querySelector('[data-figure=beam]').dataset.grown", timeout=30_000)

NODE = """b => { const t = b._fullData.find(t => t.name === 'kept'), r = b.getBoundingClientRect()
  const l = b._fullLayout
  return [r.x + l._size.l + l.xaxis.l2p(t.x[1]), r.y + l._size.t + l.yaxis.l2p(t.y[1]), t.customdata[1]] }"""
OVERPRINTED = """b => { const place = x => x.getBoundingClientRect()
  const names = [...b.querySelectorAll('.ytick text')].map(place)
  const right = Math.max(...names.map(r => r.right))
  return [...b.querySelectorAll('.bartext')].filter(x => place(x).left < right).length
    + names.filter((r, i) => names.slice(0, i).some(s => r.top < s.bottom && s.top < r.bottom)).length }"""

@check
def the_star_of_the_beam_is_named_and_a_prefix_chosen(v):
    named = "b => b._fullData.filter(t => t.marker?.symbol === 'star').map(t => t.name)"
    view, tree = opened(v, 'recommend', history='5,6,7'), v.page.locator('[data-figure=beam]')
    assert tree.evaluate(named) == ['the model’s own first'], tree.evaluate(named)
    opened(v, 'recommend', user=0)
    assert tree.evaluate(named) == ['the held-out item'], tree.evaluate(named)
    note = view.locator('[data-part="recommend.beam"]')
    expect(note).to_contain_text(re.compile(r'held-out item. It fell out at level \d: its prefix has rank'))
    assert note.get_by_text('not in the picture').count() == 0, 'the star that is named is not drawn'
    for name in ('change', 'looked'):
        assert not view.locator(f'[data-figure={name}]').evaluate(OVERPRINTED), f'{name} is overprinted'
    expect(view.locator('[data-part="recommend.lost"] thead')).to_contain_text('rank in the beam')
    view.locator('#tiger-list [data-do=select]').nth(3).click()
    ready(v)
    assert tree.evaluate(named) == ['the selected item'], tree.evaluate(named)
    tree.scroll_into_view_if_needed()
    x, y, prefix = tree.evaluate(NODE)
    v.page.mouse.click(x, y)
    expect(note).to_contain_text(f'begin with {prefix}')
    assert f'prefix={prefix}' in v.page.url
    ready(v)
    faint = "b => b._fullData.find(t => t.name === 'kept').marker.opacity.filter(o => o < 1).length"
    assert tree.evaluate(faint), 'the other prefixes are not dimmed'
    other = note.locator('.prefixes button').first
    other.focus()
    v.page.keyboard.press('Enter')
    expect(note).to_contain_text(f'begin with {other.get_attribute("data-prefix")}')
    ready(v)
    expect(other).to_be_focused()

@check
def bundles_are_chosen_and_no_group_is_lost(v):
    from types import SimpleNamespace
    import polars as pl
    from tiger_nb.app.compare import fewer
    from tiger_nb.app.state import divisions
    many = pl.DataFrame(dict(group=list('abcdefghijklmnop'), users=list(range(16, 0, -1)), tiger=[.5] * 16))
    few = fewer(many)
    assert few['group'][-1] == 'others (5)' and few['users'].sum() == 136 and few['tiger'][-1] == .5, few
    assert 'category' not in divisions(SimpleNamespace(divisions={'step': '', 'category': ''}, labels={}))
    view = opened(v, 'compare', user=1, item=ranked_first(v))
    flow = view.locator('[data-figure=flow]')
    assert .25 in flow.evaluate('b => b._fullData.map(t => t.opacity)'), 'the other items are not dimmed'
    view.locator('[data-do=toggle][data-name=counter]').click()
    expect(view.locator('.side')).to_have_count(2)
    view.locator('[data-key=k]').select_option('5')
    expect(view.locator('.side').first.locator('li')).to_have_count(5)
    expect(view.locator('[data-part="compare.groups"] thead')).not_to_contain_text('Counter')
    assert 'shown=tiger,sasrec' in v.page.url and 'k=5' in v.page.url, v.page.url
    whom = re.compile('2,000 of 3,000 test users|all 3,000 test users')   # of all once their lists are made
    expect(view.locator('[data-part="compare.groups"]')).to_contain_text(whom)

def ranked_first(v):
    "The item that TIGER puts first for user 1."
    opened(v, 'recommend', user=1)
    return ranked(v, 'tiger')[0]

@check
def a_link_says_what_is_unknown_here(v):
    for tab, state, said in (('recommend', dict(history='5,99999,7'), '1 of 3 items'),
                             ('compare', dict(user=99999), 'The user 99999 is unknown here'),
                             ('tree', dict(prefix=999), 'No item here begins with the codes 999'),
                             ('maps', dict(item=5000, color='smell'), 'The item 5000 is unknown here')):
        opened(v, tab, **state)
        expect(v.page.locator('.status')).to_contain_text(said)
    v.page.get_by_label('Find an item').fill('999, 1, *')
    expect(v.page.locator('.results')).to_contain_text('No item begins with 9991')

@check
def bundles_are_compared(v):
    view = opened(v, 'compare', user=1)
    assert view.locator('.side').count() >= 3, 'the counter and both models are not there'
    for side in view.locator('.side ol').all(): expect(side.locator('li')).to_have_count(10)
    view.locator('[data-key=by]').select_option('step')
    expect(view.locator('[data-part="compare.groups"]')).to_contain_text('new: generalised', timeout=60_000)
    ready(v)
    rows = view.locator('[data-part="compare.groups"] tbody tr').all_inner_texts()
    assert sum(int(r.split('\t')[1]) for r in rows) in (2000, len(shop().split.users)), rows

POINT = """box => { const r = box.getBoundingClientRect(), l = box._fullLayout, t = box._fullData[0]
  for (let i = 0; i < t.x.length; i++) {
    const x = r.x + l._size.l + l.xaxis.l2p(t.x[i]), y = r.y + l._size.t + l.yaxis.l2p(t.y[i])
    if (y > 80 && y < innerHeight - 40 && x > r.x + 40 && x < r.right - 40) return [x, y]
  } }"""

@check
def a_point_of_the_map_is_selected_everywhere(v):
    view = opened(v, 'maps', user=1)
    counts = view.locator('.maps .figure').evaluate_all('f => f.map(b => b.data[0].x.length || '
                                                        'b._fullData[0].x.length)')
    assert counts == [shop().n_items] * 2, counts
    box = view.locator('[data-figure=map1]')
    box.scroll_into_view_if_needed()
    x, y = box.evaluate(POINT)
    v.page.mouse.move(x, y)
    v.page.mouse.click(x, y)
    card = view.locator('.card[data-item]')
    expect(card).to_be_visible(timeout=20_000)
    ready(v)
    item = int(card.get_attribute('data-item'))
    expect(card.locator('h3')).to_have_text(title(item))
    assert f'item={item}' in v.page.url
    for name in ('map1', 'map2'):
        ring = view.locator(f'[data-figure={name}]').evaluate("b => b._fullData.find(t => t.name === "
                                                              "'selected').x.length")
        assert ring == 1, f'the item has no ring on {name}'
    find_item(v, 'Find an item', title(7), 7)
    expect(view.locator('.card h3')).to_have_text(title(7))
    expect(view.locator('.card')).to_contain_text('Ten nearest by vector')
    tab(v, 'Codebook')
    expect(v.page.locator('[data-part="codebook.residual"]')).to_contain_text(title(7))

@check
def islands_of_the_maps_have_names_that_do_not_touch(v):
    view = opened(v, 'maps', user=1)
    for name in ('map1', 'map2'):
        boxes = view.locator(f'[data-figure={name}] .annotation').evaluate_all(
            'a => a.map(x => x.getBoundingClientRect()).map(r => [r.left, r.top, r.right, r.bottom])')
        assert 1 <= len(boxes) <= 8, f'{name} has {len(boxes)} names'
        for p, q in combinations(boxes, 2):
            apart = p[2] <= q[0] or q[2] <= p[0] or p[3] <= q[1] or q[3] <= p[1]
            assert apart, f'two names on {name} touch: {p}, {q}'
        marks = view.locator(f'[data-figure={name}]').evaluate("""b => { const {xaxis, yaxis} = b._fullLayout
            return b._fullData.filter(t => ['TIGER', 'SASRec'].includes(t.name)).flatMap(t =>
              [...t.x].map((x, i) => [t.customdata[i], xaxis.d2p(x), yaxis.d2p(t.y[i])])) }""")
        at = {item: np.array(place) for item, *place in marks}
        least = min(np.hypot(*(p - q)) for p, q in combinations(at.values(), 2))
        assert len(at) > 9 and least > 14, f'marks on {name} are {least:.0f} pixels apart'

@check
def a_prefix_is_followed_through_tree_codebook_and_map(v):
    from tiger_nb.recommender import load_ids
    codes = load_ids('runs/sample/tokenizer').codes
    first = int(codes[7, 0])
    n = int((codes[:, 0] == first).sum())
    view = opened(v, 'tree', prefix=first)
    expect(view.locator('.crumbs')).to_contain_text(str(first))
    expect(view).to_contain_text(f'{n} begin with')
    with v.page.expect_download() as got: view.locator('[data-do=csv][data-table=prefixes]').click()
    under = codes[codes[:, 0] == first]
    wanted = sum(len(np.unique(under[:, :l], axis=0)) for l in (2, 3))   # two levels below
    assert len(Path(got.value.path()).read_text().splitlines()) == wanted + 1, 'the table lacks prefixes'
    view.locator('.crumbs button').first.click()
    expect(view).to_contain_text(f'All {shop().n_items:,} items')
    view = opened(v, 'maps', prefix=first)
    lit = view.locator('[data-figure=map1]').evaluate('b => b._fullData[0].selectedpoints.length')
    assert lit == n, f'{lit} of {n} items are lit'
    view = opened(v, 'codebook', prefix=first)
    expect(view).to_contain_text(f'{n} begin with')
    expect(view.locator('[data-figure=use] .plot-container')).to_be_visible()
    second = int(codes[7, 1])   # a cell of level 2 means that code after any first one
    view = opened(v, 'codebook', prefix=f'-1,{second}', level=2)
    expect(view).to_contain_text(f'{int((codes[:, 1] == second).sum())} have')

@check
def a_lasso_is_kept_in_the_address(v):
    view = opened(v, 'maps')
    box = view.locator('[data-figure=map1]')
    box.scroll_into_view_if_needed()
    view.get_by_role('button', name='Draw a lasso around items').first.click()
    at = box.bounding_box()
    corner = lambda i, j: (at['x'] + at['width'] * i, at['y'] + at['height'] * j)
    v.page.mouse.move(*corner(.25, .3))
    v.page.mouse.down()
    for i, j in ((.75, .3), (.75, .75), (.25, .75), (.25, .31)): v.page.mouse.move(*corner(i, j), steps=4)
    v.page.mouse.up()
    expect(view).to_contain_text('within the lasso')
    v.page.wait_for_url('**lasso=1*')
    ready(v)
    lit = "b => b._fullData[0].selectedpoints.length"
    n = view.locator('[data-figure=map2]').evaluate(lit)
    assert 0 < n < shop().n_items, f'{n} items are lit on the other map'
    v.page.reload()
    ready(v)
    assert v.page.locator('[data-figure=map1]').evaluate(lit) == n, 'a link shows another selection'
    with v.page.expect_download() as got: v.page.locator('[data-do=csv][data-table=lit]').click()
    assert len(Path(got.value.path()).read_text().splitlines()) == n + 1

@check
def zoom_tool_and_search_come_back_with_a_link(v):
    view = opened(v, 'maps', user=1)
    box, ranges = view.locator('[data-figure=map1]'), 'b => b._fullLayout.xaxis.range'
    whole = box.evaluate(ranges)
    box.hover()
    v.page.mouse.wheel(0, -300)
    v.page.wait_for_url('**zoom=1,*')
    near = box.evaluate(ranges)
    assert near[1] - near[0] < whole[1] - whole[0], 'the wheel does not zoom'
    view.get_by_role('button', name='Draw a lasso around items').first.click()
    view.get_by_label('Find an item').fill('tent')
    expect(view.locator('.results li').first).to_be_visible()
    v.page.reload()
    ready(v)
    assert np.allclose(box.evaluate(ranges), near, atol=.1), 'a link shows another part of the map'
    expect(view.locator('[data-tool=lasso]').first).to_have_attribute('aria-pressed', 'true')
    expect(view.get_by_label('Find an item')).to_have_value('tent')
    expect(view.locator('.results li').first).to_be_visible()
    v.page.keyboard.press('Escape')
    view.get_by_label('Find an item').press('Escape')
    view.get_by_role('button', name='Show the whole map again').first.click()
    v.page.wait_for_function("!location.search.includes('zoom') && !location.search.includes('q=')")

@check
def a_new_item_gets_codes_and_comes_up(v):
    like = int(np.bincount(shop().interactions.items).argmax())   # a copy of what is bought most
    about = shop().items['description'][like]
    view = opened(v, 'newitem', user=1)
    view.get_by_label('Title').fill(title(like))
    view.get_by_label('Description').fill(about)
    view.get_by_role('button', name='Encode it').click()
    expect(view).to_contain_text('Who would see it?', timeout=60_000)
    ready(v)
    expect(view.locator('.list .title').first).to_be_visible()
    assert 'title=' in v.page.url
    seen = int(re.search(r'ten of (\d+) of', view.inner_text())[1])
    assert seen > 0, 'nobody would see a copy of a known item'
    user = view.locator('[data-do=user]').first.get_attribute('data-user')
    view.get_by_role('button', name='Add the item to my catalogue').click()
    expect(view).to_contain_text('It stands in your catalogue')
    view = opened(v, 'recommend', user=user, title=title(like), about=about, added=1)
    expect(view.locator('#tiger-list .facts').filter(has_text='new')).to_have_count(1)
    view.get_by_label('Add an item').fill(title(like))
    expect(view.locator(f'.found [data-item="{like}"]')).to_be_visible()
    expect(view.locator('.found').get_by_text('your new item')).to_have_count(0)   # nobody can have bought it
    view = opened(v, 'compare', user=user, title=title(like), about=about, added=1)
    expect(view).not_to_contain_text('could not be computed')
    view.locator('.side [data-do=tab]').first.click()   # the new item leads to its own tab
    expect(v.page.get_by_role('tab', name='New item')).to_have_attribute('aria-selected', 'true')
    view = opened(v, 'recommend', user=user)
    expect(view.locator('#tiger-list .facts').filter(has_text='new')).to_have_count(0)

@check
def the_selected_item_is_marked_in_tree_and_codebook(v):
    from tiger_nb.recommender import load_ids
    codes = load_ids('runs/sample/tokenizer').codes[7].tolist()
    for shape in ('icicle', 'treemap'):
        view = opened(v, 'tree', item=7, shape=shape, prefix=codes[0])
        ready(v)
        thick = view.locator('[data-figure=tree]').evaluate(
            'b => b._fullData[0].ids.filter((_, i) => b._fullData[0].marker.line.width[i] > 1)')
        assert f'{codes[0]},{codes[1]}' in thick, f'{shape}: {thick}'
        assert view.locator('[data-figure=tree] g.slice').count() > 3, f'{shape} is not drawn'
        expect(view.locator('.row.picked')).to_contain_text(title(7))
    view = opened(v, 'tree')
    view.locator('select[data-key=prefix]').select_option(str(codes[0]))   # the way of a keyboard
    expect(view.locator('.crumbs')).to_contain_text(str(codes[0]))
    view = opened(v, 'codebook', item=7)
    ready(v)
    at = view.locator('[data-figure=use]').evaluate('b => [...b.data.at(-1).x]')
    assert at == codes[:3], f'{at} are framed, not {codes}'
    expect(view).to_contain_text(f'What code {codes[0]} looks like')
    bars = view.locator('[data-figure=residual] .bars .point path').evaluate_all(
        'p => p.map(x => x.getBoundingClientRect()).map(r => [r.left, r.height])')
    assert len({x for x, _ in bars}) == 4 and sorted(h for _, h in bars)[::-1] == [h for _, h in bars], bars

@check
def temperatures_and_runs_are_shown(v):
    view = opened(v, 'diversity', user=1)
    rows = view.locator('[data-part="diversity.ladder"] tbody tr').evaluate_all(
        'r => r.map(x => [...x.children].map(c => +c.textContent))')
    assert len(rows) == 5 and rows[0][1] <= rows[-1][1], 'warmer lists have no more entropy'
    view.locator('input[type=range]').first.fill('2.5')
    v.page.wait_for_function("location.search.includes('temperature=2.5')", timeout=20_000)
    ready(v)
    view = opened(v, 'runs')
    for text in ('recall@10', 'oracle', 'split sha256', 'What is missing'):
        expect(view.get_by_text(text).first).to_be_visible()

BAR = """() => {
  const bar = document.querySelector('.shell progress')
  window.barred = false
  const look = () => { window.barred ||= bar.classList.contains('on') }
  new MutationObserver(look).observe(bar, {attributes: true})
}"""

@check
def the_first_look_at_a_map_shows_the_bar(v):
    opened(v, 'recommend', user=1)
    v.page.evaluate(BAR)
    tab(v, 'Map')
    ready(v)
    assert v.page.evaluate('window.barred'), 'points are drawn without a bar'
    v.page.wait_for_function("() => !document.querySelector('.shell progress.on')")   # and it goes again

@check
def a_figure_is_drawn_once(v):
    opened(v, 'recommend', user=1)
    v.page.evaluate('''() => { const react = Plotly.react; window.drawn = {}
      Plotly.react = (box, ...more) => {
        const name = box.dataset.figure
        window.drawn[name] = (window.drawn[name] || 0) + 1
        return react(box, ...more) } }''')
    tab(v, 'Code tree')
    v.page.wait_for_timeout(300)  # the page is as long as the new view by now
    assert v.page.evaluate('window.drawn') == {'tree': 1}, v.page.evaluate('window.drawn')
    v.page.set_viewport_size({'width': 1100, 'height': 1000})
    v.page.wait_for_function('window.drawn.tree === 2', timeout=20_000)  # a narrower page, a narrower figure
    v.page.set_viewport_size({'width': 1400, 'height': 1000})

@check
def tables_and_figures_are_saved(v):
    opened(v, 'recommend', user=1)
    from tiger_nb.app.state import Memo
    made = []
    def make(s): return made.append(s['user']) or dict(html=str(s['user']))
    memo, state = Memo(), dict(user=1, history=[2], beams=5)
    marks = [memo('lists', make, state | more)['mark'] for more in ({}, dict(beams=9), dict(user=2), {})]
    assert made == [1, 2] and marks[0] == marks[1] == marks[3] != marks[2], 'made again, or not'
    def saved(table):
        with v.page.expect_download() as got: v.page.locator(f'[data-do=csv][data-table={table}]').click()
        return Path(got.value.path()).read_text().splitlines()
    lines = saved('tiger')
    assert lines[0].startswith('rank,item,key,title,score') and len(lines) == 11, lines[:2]
    v.page.locator('[data-figure=beam]').hover()
    for kind, begins in (('svg', b'<svg'), ('png', b'\x89PNG')):
        with v.page.expect_download() as got:
            v.page.locator(f'.drawing:has([data-figure=beam]) [data-format={kind}]').click()
        assert Path(got.value.path()).read_bytes().startswith(begins), kind
    # lists are saved as well
    for where, table, head in (('maps', 'near', 'item,key,title,cosine'),
                               ('codebook', 'words', 'item,key,title'),
                               ('diversity', 'drawn', 'list,item,key,title')):
        opened(v, where, user=1, item=7)
        lines = saved(table)
        assert lines[0] == head and len(lines) > 1, (table, lines[:2])

@check
def the_keyboard_is_enough(v):
    opened(v, 'recommend', user=1)
    v.page.get_by_role('tab', name='Recommend', exact=True).focus()
    v.page.keyboard.press('ArrowRight')
    expect(v.page.get_by_role('tab', name='Compare', exact=True)).to_have_attribute('aria-selected', 'true')
    v.page.keyboard.press('End')
    v.page.keyboard.press('Home')
    expect(v.page.get_by_role('tab', name='Recommend', exact=True)).to_be_focused()
    got_it = v.page.get_by_role('button', name='Got it')
    held, free = [], []
    v.page.route('**/component_server**', lambda route: route.continue_() if free else held.append(route))
    v.page.keyboard.press('ArrowRight')
    got_it.focus()
    for _ in range(200):  # a busy machine asks late
        if held: break
        v.page.wait_for_timeout(100)
    assert held, 'no question was asked'
    free.append(True)
    for late in held: late.continue_()
    ready(v)
    v.page.unroute('**/component_server**')
    expect(got_it).to_be_focused()  # an answer that comes late takes the focus from nothing
    v.page.keyboard.press('Enter')
    expect(v.page.locator('.hint')).to_be_hidden()
    expect(v.page.locator('#view')).to_be_focused()
    opened(v, 'recommend', user=1)
    box = v.page.get_by_label('Add an item')
    box.fill('tent')
    expect(v.page.locator('.found li').first).to_be_visible()
    box.press('ArrowDown')
    expect(v.page.locator('.found button').first).to_be_focused()
    v.page.keyboard.press('Enter')
    expect(v.page.locator('#view')).to_contain_text('no held-out item')
    ready(v)
    expect(box).to_be_focused()

CONTRAST = """() => {
  const rgb = s => s.match(/[\\d.]+/g).map(Number)
  const part = x => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4
  const light = c => { const f = c.slice(0, 3).map(part)
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2] }
  const over = (a, b) => { const t = a[3] ?? 1; return [0, 1, 2].map(i => a[i] * t + b[i] * (1 - t)) }
  const back = e => rgb(getComputedStyle(e).backgroundColor)
  const ground = e => e ? over(back(e), ground(e.parentElement)) : [255, 255, 255]
  const bad = []
  for (const e of document.querySelectorAll('.shell *')) {
    const says = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
    if (e.closest('.figure, svg') || !e.offsetWidth || !says) continue
    const b = ground(e), f = over(rgb(getComputedStyle(e).color), b)
    const [x, y] = [light(f), light(b)].sort((p, q) => q - p), c = (x + .05) / (y + .05)
    const said = e.textContent.trim().slice(0, 30)
    if (c < 4.5) bad.push(`${e.className || e.tagName}: ${c.toFixed(2)} “${said}”`)
  }
  return [...new Set(bad)].slice(0, 8) }"""

@check
def light_and_dark_can_be_read(v):
    try:
        for scheme in ('light', 'dark'):
            v.page.emulate_media(color_scheme=scheme)
            for name in ('recommend', 'codebook', 'runs'):
                opened(v, name, user=1)
                bad = v.page.evaluate(CONTRAST)
                assert not bad, f'{name}, {scheme}: {bad}'
    finally: v.page.emulate_media(color_scheme='light')

@check
def a_phone_needs_no_sideways_scrolling(v):
    v.page.set_viewport_size({'width': 390, 'height': 844})
    try:
        for name in ('recommend', 'compare', 'maps', 'tree', 'codebook', 'newitem', 'diversity', 'runs'):
            opened(v, name, user=1)
            wide = v.page.evaluate('document.documentElement.scrollWidth')
            assert wide <= 390, f'{name} is {wide} pixels wide'
            small = v.page.evaluate("""[...document.querySelectorAll('.do')].filter(b => b.offsetWidth &&
                (b.offsetHeight < 32 || b.offsetWidth < 32)).map(b => b.outerHTML.slice(0, 90))""")
            assert not small, f'{name} has buttons below 32 pixels: {small[:3]}'
        opened(v, 'recommend', user=1)
        expect(v.page.locator('#sasrec-list')).to_be_hidden()
        v.page.get_by_role('button', name='Show the list of SASRec').click()
        expect(v.page.locator('#sasrec-list')).to_be_visible()
        v.page.locator('#sasrec-list [data-do=select]').nth(2).click()
        seen_soon(v, '[data-part="recommend.lost"]')
        expect(v.page.locator('#sasrec-list')).to_be_visible()   # the switch forgets nothing
        assert 'side=sasrec' in v.page.url
        for name in ('mass', 'lost'):
            scrolls = v.page.locator(f'.wide[aria-label={name}]').evaluate(
                "w => [w.scrollWidth > w.clientWidth, w.classList.contains('scrolls')]")
            assert scrolls[0] == scrolls[1], f'the notice under the table {name} is wrong: {scrolls}'
        expect(v.page.locator('[data-do=api]')).to_be_visible()
        opened(v, 'compare', user=1)
        v.page.locator('.side:visible [data-do=select]').first.click()
        seen_soon(v, '[data-figure=flow]')
    finally: v.page.set_viewport_size({'width': 1400, 'height': 1000})

def seen_soon(v, place):
    "A phone scrolls to the result of a tap."
    v.page.wait_for_function("""p => { const r = document.querySelector(p)?.getBoundingClientRect()
        return r && r.top > -20 && r.top < 300 }""", arg=place, timeout=20_000)

@check
def a_tablet_has_the_buttons_of_figures(v):
    context = v.page.context.browser.new_context(viewport=dict(width=820, height=1100), has_touch=True,
                                                 is_mobile=True)
    try:
        page = context.new_page()
        page.goto(f'{v.url}/?tab=tree&user=1')
        page.wait_for_function(READY, timeout=60_000)
        save = page.locator('.drawing [data-do=save]').first
        assert save.evaluate('b => getComputedStyle(b.parentNode).opacity') == '1', 'PNG is not to be seen'
        assert save.bounding_box()['height'] >= 32
        page.goto(f'{v.url}/?tab=maps&user=1')   # a swipe scrolls the page until Pan is pressed
        page.wait_for_function(READY, timeout=60_000)
        mode = lambda: page.locator('[data-figure=map1]').evaluate('b => b._fullLayout.dragmode')
        assert mode() is False, mode()
        page.locator('[data-do=tool][data-tool=pan]').first.tap()
        assert mode() == 'pan', mode()
    finally: context.close()

HOSTILE = ['<img src=x onerror=alert(1)>', '${alert(1)}{{value}}`', '<script>alert(1)</script>',
           '"><svg onload=alert(1)>', "'; alert(1); '"]

def hostile_shop(folder):
    "A data folder whose titles and keys are attacks, with two bundles that hardly learned anything."
    import json
    import numpy as np
    from tiger_nb.data import load
    from tiger_nb.embeddings import save_vectors
    from tiger_nb.recommender import RunSettings, train_bundle
    from tiger_nb.sasrec import SASRecSettings
    from tiger_nb.semantic_ids import SemanticIds
    from tiger_nb.tiger import TigerSettings
    from tiger_nb.training import TrainSettings
    rng, shop, tokenizer = np.random.default_rng(0), folder/'shop', folder/'tokenizer'
    shop.mkdir()
    tokenizer.mkdir()
    histories = {HOSTILE[0] + str(u): rng.permutation(15)[:5].tolist() for u in range(20)}
    (shop/'inter.json').write_text(json.dumps(histories))
    def item(i):
        bad = HOSTILE[i % 5]
        text = {'title': bad, 'description': bad, 'brand': bad, 'categories': [bad]}
        return {'item_id': i, 'asin': f'{bad}{i}', **text}
    (shop/'items.jsonl').write_text('\n'.join(json.dumps(item(i)) for i in range(15)))
    ids = SemanticIds.from_codes(rng.integers(0, 4, (15, 3)), 4)
    ids.save(tokenizer/'semantic_ids.json')
    save_vectors(tokenizer/'map.npz', rng.normal(size=(15, 2)))
    info = {'source': HOSTILE[0], 'sizes': ids.sizes, 'collision': True}
    (tokenizer/'tokenizer.json').write_text(json.dumps(info))
    dataset, steps = load(shop), TrainSettings(steps=2, device='cpu')
    small = TigerSettings(width=16, encoder_layers=1, decoder_layers=1, heads=2, head_dim=8, ff=16)
    for name, model in (('sasrec', SASRecSettings(width=16, blocks=1)), ('tiger', small)):
        train_bundle(dataset, name, folder/name, RunSettings(model, steps, beams=15), tokenizer)
    return dataset, {name: folder/name for name in ('tokenizer', 'sasrec', 'tiger')}

@contextmanager
def own_app(make):
    "The app over what `make(folder)` gives, in this process: its port, and a call that starts it once more."
    from tiger_nb.app import launch
    with tempfile.TemporaryDirectory() as tmp, socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
        s.close()
        dataset, paths = make(Path(tmp))
        app = launch(dataset, paths, port, block=False, prepare=False)
        try: yield port, lambda: launch(dataset, paths, port, block=False, prepare=False)
        finally: app.close(verbose=False)

@check
def rings_lie_above_the_points_of_a_large_map(v):
    from tiger_nb import plots
    paths = {name: REPO/'runs/sample'/name for name in ('tokenizer', 'tiger', 'sasrec')}
    usual, plots.MANY = plots.MANY, 100
    try:
        with own_app(lambda folder: (shop(), paths)) as (port, _):
            page = v.page.context.browser.new_context().new_page()
            try:
                page.goto(f'http://127.0.0.1:{port}/?tab=maps&user=1&item=7')
                page.wait_for_function(READY, timeout=60_000)
                kinds = "b => b._fullData.map(t => [t.name, t.type])"
                drawn = dict(page.locator('[data-figure=map1]').evaluate(kinds))
                assert {'selected', 'held out', 'history'} <= drawn.keys(), drawn
                assert set(drawn.values()) == {'scattergl'}, f'WebGL hides what it does not draw: {drawn}'
            finally: page.context.close()
    finally: plots.MANY = usual

def second_tokenizer(folder):
    "The sample with another tokenizer beside its own."
    from tiger_nb.bundles import PRESETS
    from tiger_nb.tokenizer import tokenize
    for name in ('tokenizer', 'tiger'): (folder/name).symlink_to(REPO/'runs/sample'/name)
    tokenize(shop(), folder/'second', replace(PRESETS['sample']['tokenizer'], codes=16), umap=False)
    shutil.copytree(folder/'second', folder/'damaged')
    (folder/'damaged/codebooks.safetensors').write_bytes(b'x')
    return shop(), {name: folder/name for name in ('tokenizer', 'tiger')}

@check
def two_tokenizers_are_compared(v):
    with own_app(second_tokenizer) as (port, _):
        page = v.page.context.browser.new_context().new_page()
        try:
            page.goto(f'http://127.0.0.1:{port}/?tab=codebook&item=7')
            page.get_by_label('Compare with').select_option('second', timeout=60_000)
            part = page.locator('[data-part="codebook.report"]')
            expect(part).to_contain_text('Two tokenizers, level by level', timeout=60_000)
            assert 'other=second' in page.url
            cells = part.locator('table', has_text='kept together').locator('tbody tr').first.locator('td')
            mine, theirs = (float(x) for x in cells.all_inner_texts()[:2])
            assert mine > theirs > 1, f'the sample\'s codes have the perplexity {mine}, 16 have {theirs}'
            expect(part.locator('[data-figure=against] .plot-container')).to_be_visible()
            first = part.locator('.two .list').first.locator('li').first
            expect(first.locator('.score')).to_have_text(re.compile('[1-3]'))
            part.screenshot(path=SHOTS/'two_tokenizers.png')
            page.get_by_label('Compare with').select_option('damaged')
            expect(part).to_contain_text('damaged/codebooks.safetensors', timeout=60_000)   # and what to do
            expect(part).not_to_contain_text('Two tokenizers, level by level')
            page.get_by_label('Compare with').select_option('')       # the choice can be undone
            expect(part).not_to_contain_text('codebooks.safetensors', timeout=60_000)
            expect(part).to_contain_text('Report card')
        finally: page.context.close()

@check
def hostile_titles_stay_text(v):
    from tiger_nb.data import InputError
    with own_app(hostile_shop) as (port, again):
        try:
            again()
            raise AssertionError('a taken port was taken again')
        except InputError as e: assert 'taken' in str(e)
        page, asked = v.page.context.browser.new_context().new_page(), []
        page.on('dialog', lambda d: (asked.append(d.message), d.dismiss()))
        page.on('pageerror', lambda e: v.errors.append(str(e)))
        try:
            for name in ('recommend', 'compare', 'maps', 'tree', 'codebook', 'newitem', 'diversity', 'runs'):
                page.goto(f'http://127.0.0.1:{port}/?tab={name}&user=0&item=3&added=1&title=<img src=x '
                          f'onerror=alert(1)>')
                page.wait_for_function(READY, timeout=60_000)
                made = page.locator('img[src=x]').count() + page.locator('svg[onload]').count()
                assert not made, f'{name}: a title became an element'
                if name != 'recommend': continue
                plain = page.locator('#sasrec-list ol.list li')   # nothing encodes the item: lists as before
                expect(plain).to_have_count(10)
                page.get_by_label('Add an item').fill('alert')
                expect(page.locator('.found li')).to_have_count(15, timeout=20_000)
                for shown in HOSTILE:
                    found = page.locator('.found .name').get_by_text(shown, exact=True)
                    expect(found.first).to_be_visible()
            assert not asked, f'a title was run as a script: {asked}'
        finally: page.context.close()

def post(url, path, body, **head):
    "Status and headers of a request that no browser would send."
    c = HTTPConnection(url.split('//')[1], timeout=30)
    c.request('POST', path, body, {'Content-Type': 'application/json'} | head)
    r = c.getresponse()
    return r.status, dict(r.getheaders()), r.read()

def component(v):
    "The number of the page's one component."
    import urllib.request
    with urllib.request.urlopen(f'{v.url}/config') as f: config = json.load(f)
    return next(c['id'] for c in config['components'] if c['props'].get('elem_id') == 'app')

@check
def strangers_and_forged_events_are_refused(v):
    where, app = '/gradio_api/component_server', component(v)
    def asked(data, **head):
        body = json.dumps(dict(data=data, component_id=app, fn_name='show', session_hash='x'))
        return post(v.url, where, body, **head)
    first = asked(dict(part='recommend', state=dict(user=1)))
    assert first[0] == 200
    again = dict(part='recommend', state=dict(user=1), have=json.loads(first[2])['mark'])
    assert json.loads(asked(again)[2])['same'], 'what the browser has is sent again'
    assert asked({}, Host='evil.example')[0] == 403, 'a foreign host is served'
    assert asked({}, Origin='http://evil.example')[0] == 403, 'a foreign page is served'
    assert post(v.url, '/gradio_api/upload', '{}')[0] == 403, 'uploads are on'
    assert post(v.url, where, ' ' * 200_000)[0] == 413, 'a large body is read'
    parts = iter([b' ' * 50_000] * 4)   # in chunks, which say no length
    assert post(v.url, where, parts)[0] in (400, 413), 'a large body in parts is read'
    forged = [None, 7, 'x', [], dict(part='__class__', state='x'), dict(part='recommend', state=dict(
        user=10**9, history=[-1, 'a', None, 10**30, {}], item=[], prefix='9,9,9', beams='1e9', k=-3,
        temperature=['nan', -1], title=7, model='../..', q='x' * 10**4))]
    forged += [dict(part=p, state=dict(history=list(range(400)), prefix=[1], item=1.5, title='x', user={}))
               for p in ('recommend', 'compare', 'maps', 'tree', 'codebook', 'newitem', 'diversity', 'runs')]
    for data in forged:
        status, head, got = asked(data)
        assert status == 200, f'{data} is answered with {status}'
        assert len(json.loads(got)['state']['history']) <= 200
    for name in ('content-security-policy', 'x-content-type-options', 'referrer-policy'):
        assert name in {k.lower() for k in head}, f'the header {name} is missing'

@check
def every_action_is_an_endpoint(v):
    from gradio_client import Client
    client = Client(v.url, verbose=False)
    named = client.view_api(print_info=False, return_format='dict')['named_endpoints']
    want = ('recommend user_history find_items find_users examples beam lost why decoder_attention compare '
            'where_models_win levels_lost '
            'item_card neighbours map_places items_within with_prefix code_tree codebook items_with_code '
            'report_card encode_item recommend_with_item sample_diversity runs training_curve run_settings '
            'missing_parts').split()
    assert {f'/{n}' for n in want} <= set(named), sorted(named)
    for name, about in named.items():
        assert about.get('description'), f'{name} has no description'
        assert all(p['python_type']['type'] for p in about['parameters']), f'{name} is not typed'
        assert all(p['label'] == p['parameter_name'] for p in about['parameters']), f'{name} labels'
    user = client.predict(user=1, api_name='/user_history')
    told = client.predict(history=user['history'], api_name='/recommend')
    opened(v, 'recommend', user=1)
    assert [r['item'] for r in told] == ranked(v, 'tiger'), 'the endpoint and the page disagree'
    x, y = np.array(client.predict(api_name='/map_places')).T
    box = [5, -9e5, 5, 9e5, 9e5, 9e5, 9e5, -9e5]   # all to the right of 5
    assert client.predict(corners=box, api_name='/items_within') == np.flatnonzero(x > 5).tolist()
    for name, wrong, said in BAD:
        try: client.predict(api_name=f'/{name}', **wrong)
        except Exception as e: assert said in str(e), f'{name} {wrong}: {e}'
        else: raise AssertionError(f'{name} took {wrong}')

BAD = [('recommend', dict(history=[10**7]), 'unknown'), ('recommend', dict(history=[1], k='x'), 'whole'),
       ('recommend', dict(history=[1], k=0), '1 to 50'), ('beam', dict(history=[1], beams=500), '1 to 200'),
       ('recommend', dict(history=[1] * 400), 'at most 200'), ('item_card', dict(item=7.5), 'whole number'),
       ('item_card', dict(item=None), 'whole number'), ('user_history', dict(user=1.5), 'whole number'),
       ('code_tree', dict(prefix=[1] * 5), 'at most 4'), ('code_tree', dict(prefix=[10**20]), '-1 to'),
       ('find_items', dict(query=5), 'a text'), ('items_within', dict(corners=['a'] * 6), 'a number'),
       ('encode_item', dict(title=''), 'is empty'), ('where_models_win', dict(by='luck'), 'take one of')]

@check
def fifty_visitors_get_their_own_lists(v):
    app, split, took, wrong = component(v), shop().split, [], []
    start = threading.Barrier(50)
    def one(e):
        body = json.dumps(dict(data=dict(part='recommend', state=dict(user=e)), component_id=app,
                               fn_name='show',
                               session_hash=f'visitor{e}'))
        start.wait()
        begin = time.time()
        status, _, got = post(v.url, '/gradio_api/component_server', body)
        took.append(time.time() - begin)
        made = f'data-history="{",".join(map(str, split.test.row(e).tolist()))}"'
        if status != 200 or made not in json.loads(got)['html']: wrong.append(e)
    threads = [threading.Thread(target=one, args=[e]) for e in range(50)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert not wrong, f'visitors {wrong[:5]} got no list, or that of somebody else'
    print(f'       50 visitors at once: median {np.median(took):.2f} s, p95 {np.quantile(took, .95):.2f} s')

@after
def console_stays_clean(v): assert not v.errors, '\n'.join(v.errors)

@after
def nothing_is_asked_of_other_hosts(v): assert not v.outside, '\n'.join(v.outside)
