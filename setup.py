"""Packaging. Everything that can be set is in settings.ini; here is only what goes where in the wheel."""
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

here = Path(__file__).parent
ini = ConfigParser(delimiters=['='])
ini.read(here/'settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']

setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'],
    keywords=cfg['keywords'].split(), author=cfg['author'], license='MIT', license_files=['LICENSE'],
    long_description=(here/'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    python_requires=f'>={cfg["min_python"]}', install_requires=cfg['requirements'].split(),
    extras_require={'dev': (cfg['dev_requirements'] + cfg['ray_requirements']).split(),
                    'ray': cfg['ray_requirements'].split()},
    entry_points={'console_scripts': cfg['console_scripts'].split(),
                  'nbdev': [f'{cfg["lib_name"]}={cfg["lib_path"]}._modidx:d']},
    # The demo and the sample data live outside the exported package: they are installed inside it.
    packages=['tiger_nb', 'tiger_nb.bench', 'tiger_nb.app', 'tiger_nb.sample_data'],
    package_dir={'tiger_nb': 'tiger_nb', 'tiger_nb.app': 'app', 'tiger_nb.sample_data': 'data/sample'},
    package_data={'tiger_nb.app': ['**/*'], 'tiger_nb.sample_data': ['*']},
    exclude_package_data={'': ['*.pyc', '__pycache__/*']},
    zip_safe=False,
)
