/**
 * Makes the site in site/: the page on which the models think and, with --notebooks, the committed notebooks with
 * interactive figures; it loads nothing from elsewhere.
 * node scripts/site.mjs [--notebooks] [--serve]; --serve shows it on this computer only.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readNotebook, textOf } from './notebooks/notebook.mjs';
import { setUp } from './setup.mjs';
import { jupyter } from './setup/lab.mjs';
import { root, run, say } from './setup/shell.mjs';
import { serve } from './site/serve.mjs';

/** Pictures that a notebook's text shows. */
const pictures = /!\[([^\]]*)\]\(\.\.\/figures\/([\w-]+\.png)\)/g;

const site = path.join(root, 'site');
const scratch = path.join(root, '.cache', 'site');
const plotlyType = 'application/vnd.plotly.v1+json';

/**
 * Added to every page: room below code in a text, which the converter leaves out. And a figure becomes interactive when
 * it comes into view; until then, and without scripts, its picture stands there.
 */
const script = `<style>.jp-RenderedMarkdown .highlight { margin-bottom: 1em }</style>
<script src="plotly.js"></script>
<script>
function draw(target) {
  watcher.unobserve(target);
  const { data, layout, frames, config } = JSON.parse(target.querySelector('script').textContent);
  const figure = document.createElement('div');
  Plotly.newPlot(figure, { data, layout, frames, config }).then(() => target.replaceChildren(figure));
}
const watcher = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(entry.target)),
  { rootMargin: '300px' },
);
document.querySelectorAll('.figure').forEach((figure) => watcher.observe(figure));
</script>`;

/** Where --serve listens. */
const port = 8360;

let server;
try {
  const { values: options } = parseArgs({ options: { serve: { type: 'boolean' }, notebooks: { type: 'boolean' } } });
  if (options.serve) server = await serve(site, port).catch(taken); // before anything is made anew
  if (!(await setUp(options.notebooks ? ['build', 'lab'] : ['build'], { again: true })))
    throw new Error('see above for what is missing; nbconvert, which renders the notebooks, comes with JupyterLab');
  for (const folder of [site, scratch]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const { buildPage } = await import('./site/page.mjs'); // reads dist/, which is built by now
  await buildPage(site, options.notebooks === true);
  say('site/think.html: the page that runs the models');
  if (options.notebooks) say(`site/index.html: that page, and ${await render()} notebooks`);
  if (server !== undefined) say(`on this computer only: ${server.address}think.html (Ctrl-C stops it)`);
  else say('npm run site -- --serve shows it on this computer; any static web server will do');
} catch (error) {
  console.error(`site failed: ${error.message}`);
  process.exitCode = 1;
  await server?.close();
}

/** @param {NodeJS.ErrnoException} error of listening */
function taken(error) {
  if (error.code !== 'EADDRINUSE') throw error;
  throw new Error(
    `another program already listens at http://127.0.0.1:${port}/; if it is this site, open it there, ` +
      'or stop it with Ctrl-C where it was started',
  );
}

/** @returns {Promise<number>} how many notebooks */
async function render() {
  const names = readdirSync(path.join(root, 'notebooks'))
    .filter((name) => name.endsWith('.ipynb'))
    .sort();
  const notebooks = names.map((name) => ({
    name: path.basename(name, '.ipynb'),
    notebook: readNotebook(path.join(root, 'notebooks', name)),
  }));
  for (const { name, notebook } of notebooks)
    writeFileSync(path.join(scratch, `${name}.ipynb`), JSON.stringify(withPages(notebook)));
  const files = notebooks.map(({ name }) => path.join(scratch, `${name}.ipynb`));
  say(`rendering ${names.length} notebooks (about half a minute)`);
  await run('site', [
    jupyter,
    'nbconvert',
    '--to',
    'html',
    '--output-dir',
    site,
    '--HTMLExporter.mathjax_url=',
    '--HTMLExporter.require_js_url=',
    ...files,
  ]);
  for (const { name } of notebooks) {
    const file = path.join(site, `${name}.html`);
    writeFileSync(file, alone(readFileSync(file, 'utf8')).replace(/<body[^>]*>/, `$&\n${linksOf(name, names)}`));
  }
  copyFileSync(createRequire(import.meta.url).resolve('plotly.js-dist'), path.join(site, 'plotly.js'));
  const texts = notebooks.flatMap(({ notebook }) => notebook.cells.map(({ source }) => textOf(source)));
  for (const [, , picture] of texts.flatMap((text) => [...text.matchAll(pictures)]))
    copyFileSync(path.join(root, 'figures', picture), path.join(site, picture));
  copyFileSync(path.join(root, 'figures', 'one-sudoku.png'), path.join(site, 'one-sudoku.png'));
  writeFileSync(path.join(site, 'index.html'), indexPage(notebooks));
  for (const { name } of notebooks) checkLinks(`${name}.html`);
  return notebooks.length;
}

/** Throws unless all that a page names on this server is there. */
function checkLinks(page) {
  const named = readFileSync(path.join(site, page), 'utf8').matchAll(/\s(?:src|href)="([^":#?]+)[#?"]/g);
  for (const [, to] of named)
    if (!existsSync(path.join(site, to))) throw new Error(`${page}: expected all that it names, found no ${to}`);
}

/**
 * The notebook with its figures as HTML, its links to notebooks as links to pages, and its links to the project's other
 * files as their words.
 */
function withPages(notebook) {
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type !== 'code') {
      const source = textOf(cell.source)
        .replaceAll(/\]\(([\w-]+)\.ipynb\)/g, ']($1.html)')
        .replaceAll(pictures, '![$1]($2)')
        .replaceAll(/\[([^\]]*)\]\(\.\.\/[^)]*\)/g, '$1');
      return { ...cell, source };
    }
    return {
      ...cell,
      outputs: cell.outputs.map((output) =>
        output.data?.[plotlyType] === undefined ? output : { ...output, data: { 'text/html': figureHtml(output) } },
      ),
    };
  });
  return { ...notebook, cells };
}

function figureHtml({ data, metadata }) {
  const { width, height } = metadata['image/png'];
  const json = JSON.stringify(data[plotlyType]).replaceAll('<', '\\u003c');
  const words = escaped(textOf(data['text/plain']));
  const png = `data:image/png;base64,${textOf(data['image/png']).replaceAll('\n', '')}`;
  const picture = `<img width="${width}" height="${height}" alt="${words}" src="${png}">`;
  return `<div class="figure">${picture}<script type="application/json">${json}</script></div>`;
}

/** Makes a page independent of other servers, and adds what makes its figures interactive. */
function alone(html) {
  const local = html
    .replaceAll(/<script\b[^>]*\bsrc="(?:https?:[^"]*)?"[^>]*><\/script>/g, '')
    .replaceAll(/<script type="module">[^]*?<\/script>/g, '');
  return local.replace('</body>', `${script}\n</body>`);
}

/** Home, and the pages before and after this one. */
function linksOf(name, files) {
  const names = files.map((file) => path.basename(file, '.ipynb'));
  const at = names.indexOf(name);
  const link = (to, text) => (to === undefined ? '' : `<a href="${to}.html">${text}</a>`);
  const links = [
    link('index', 'All notebooks'),
    link(names[at - 1], `← ${names[at - 1]}`),
    link(names[at + 1], `${names[at + 1]} →`),
  ];
  const style = 'font: 15px Helvetica, Arial, sans-serif; padding: 1em 2em';
  return `<nav style="${style}">${links.filter(Boolean).join(' &nbsp;·&nbsp; ')}</nav>`;
}

/** Every notebook with its title and its first words. */
function indexPage(notebooks) {
  const entries = notebooks.map(({ name, notebook }) => {
    const [title = name, ...rest] = textOf(notebook.cells[0].source)
      .split('\n')
      .filter((line) => line.trim() !== '');
    return `<li><a href="${name}.html">${escaped(plain(title))}</a><br>${escaped(plain(rest[0] ?? ''))}</li>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>trm-lab</title>
<style>
body { font: 16px/1.5 Helvetica, Arial, 'DejaVu Sans', sans-serif; color: #1A1A1A }
body { max-width: 44em; margin: 2em auto; padding: 0 1em }
a { color: #0072B2; font-weight: bold }
ul { list-style: none; padding: 0 }
li { margin: 1em 0 }
img { max-width: 100%; height: auto }
</style>
<h1>trm-lab</h1>
<p><a href="think.html">Run the models in your browser</a>: Sudokus and mazes, yours or ours, cycle by cycle.</p>
<p>The notebooks of a research kit for the Tiny Recursive Model, as they were last run. Figures are interactive.</p>
<p><img src="one-sudoku.png" alt="One Sudoku, step by step"></p>
<ul>
${entries.join('\n')}
</ul>
</html>
`;
}

/** Removes the marks of Markdown. */
function plain(markdown) {
  return markdown
    .replace(/^#+ /, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/(\*\*|[*`])/g, '');
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
