"""git's hooks for notebooks, in this clone: `make hooks`.
nbdev writes them, with a merge driver that has no path. Where git does not find the driver, it reports a
conflict and leaves our side in the file: the other side's cells are gone."""
import shlex, subprocess, sys, tempfile
from pathlib import Path

import nbformat

REPO = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

NOBODY = '-c', 'user.name=toy', '-c', 'user.email=toy@localhost'

def git(*args, cwd=REPO):
    "What git prints; an error with what it says."
    p = subprocess.run(['git', *args], cwd=cwd, capture_output=True, text=True)
    if p.returncode: raise RuntimeError(f'git {" ".join(args)}: {p.stdout}{p.stderr}')
    return p.stdout

def set_driver(cwd=REPO):
    "Notebooks are merged cell by cell, whether or not an environment is active."
    driver = f'{shlex.quote(str(BIN/"nbdev_merge"))} %O %A %B %P'
    git('config', '--local', 'merge.nbdev-merge.driver', driver, cwd=cwd)

def install():
    subprocess.run([BIN/'nbdev_install_hooks'], cwd=REPO, check=True)
    set_driver()

def merged():
    "Two branches that changed two cells of one notebook are merged, and both changes are there."
    with tempfile.TemporaryDirectory() as tmp:
        toy = Path(tmp)
        def commit(branch, **sources):
            sources = dict(one='1', two='2', three='3') | sources
            cells = [nbformat.v4.new_code_cell(s, id=name) for name, s in sources.items()]
            nbformat.write(nbformat.v4.new_notebook(cells=cells), toy/'toy.ipynb')
            git('add', '.', cwd=toy)
            git(*NOBODY, 'commit', '-qm', branch, cwd=toy)
        git('init', '-q', '-b', 'main', cwd=toy)
        set_driver(toy)
        for name in ('settings.ini', '.gitattributes'): (toy/name).write_bytes((REPO/name).read_bytes())
        commit('main')
        git('switch', '-qc', 'theirs', cwd=toy)
        commit('theirs', three='3 of theirs')
        git('switch', '-q', 'main', cwd=toy)
        commit('ours', one='1 of ours')
        git(*NOBODY, 'merge', '-q', '-m', 'both', 'theirs', cwd=toy)
        kept = [c.source for c in nbformat.read(toy/'toy.ipynb', 4).cells]
    if kept != ['1 of ours', '2', '3 of theirs']:
        raise RuntimeError(f'the merged notebook has the cells {kept}')

if __name__ == '__main__': install()
