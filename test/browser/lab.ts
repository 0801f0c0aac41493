/**
 * JupyterLab in a real browser: opens a notebook, runs its cells up to the one tagged "first-figure", and looks at the
 * plotly figure. Run by .ci/run: node build/test/browser/lab.js [NOTEBOOK]. Needs Chromium and the lab set up.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Locator, type Page } from 'playwright-core';
import sharp from 'sharp';
import { projectRoot } from '../../lib/files.js';

const token = 'local-test';
const minutes = 60_000;

interface Notebook {
  readonly cells: readonly { readonly cell_type: string; readonly metadata: { readonly tags?: readonly string[] } }[];
}

async function main(): Promise<void> {
  const root = projectRoot();
  const notebook = path.resolve(process.argv[2] ?? path.join(root, 'notebooks', '2-train.ipynb'));
  // A copy, because JupyterLab saves what it runs; a folder beside notebooks/, so that ../dist is still the library.
  const folder = path.join(root, 'build-browser');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  cpSync(notebook, path.join(folder, path.basename(notebook)));
  const figureCell = firstFigureCell(notebook);
  const scratch = mkdtempSync(path.join(tmpdir(), 'trm-lab-browser-'));
  const server = startLab(root, scratch);
  try {
    const address = await addressOf(server);
    await lookAtFigure(address, `${path.basename(folder)}/${path.basename(notebook)}`, figureCell, path.join(folder, 'screenshot.png'), scratch);
    console.log(`the figure of ${path.basename(notebook)} cell ${figureCell + 1} is visible and interactive in JupyterLab`);
  } finally {
    await stopped(server);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The index, over all cells, of the one tagged "first-figure". */
function firstFigureCell(file: string): number {
  const { cells } = JSON.parse(readFileSync(file, 'utf8')) as Notebook;
  const index = cells.findIndex((cell) => cell.cell_type === 'code' && cell.metadata.tags?.includes('first-figure'));
  if (index < 0) throw new Error(`${file}: expected a code cell tagged first-figure, found none`);
  return index;
}

/** JupyterLab with its own empty configuration, so that nothing of this user's changes the test. */
function startLab(root: string, scratch: string): ChildProcess {
  const jupyter = path.join(root, '.venv', 'bin', 'jupyter');
  const settings = ['config', 'data', 'runtime'].map((kind) => [`JUPYTER_${kind.toUpperCase()}_DIR`, path.join(scratch, kind)]);
  return spawn(
    jupyter,
    ['lab', '--ip=127.0.0.1', '--port=0', '--no-browser', '--allow-root', `--ServerApp.root_dir=${root}`, `--IdentityProvider.token=${token}`,
      '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate', '--LabApp.news_url=None'],
    { cwd: root, env: { ...process.env, ...Object.fromEntries(settings) as NodeJS.ProcessEnv, TRM_SMOKE: '1' }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
}

/** Waits until the server says where it listens; its last words are the error if it ends before. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`JupyterLab did not start within a minute:\n${said}`)), 1 * minutes);
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const address = /http:\/\/127\.0\.0\.1:[1-9]\d*\//.exec(said)?.[0];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
    server.on('error', reject);
    server.on('exit', (code) => reject(new Error(`JupyterLab ended with code ${code}:\n${said}`)));
  });
}

/** Asks the server to end, which ends its kernels too; kills it if it does not. */
async function stopped(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const timer = setTimeout(() => server.kill('SIGKILL'), 20_000);
  server.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}

async function lookAtFigure(address: string, notebook: string, figureCell: number, screenshot: string, scratch: string): Promise<void> {
  const browser = await chromium.launchPersistentContext(path.join(scratch, 'browser'), {
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    viewport: { width: 1280, height: 1000 },
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await browser.newPage();
  try {
    await page.goto(`${address}lab/tree/${notebook}?reset&token=${token}`);
    const cells = page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell');
    await cells.first().waitFor({ timeout: 2 * minutes });
    await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first().waitFor({ timeout: 2 * minutes });
    await cells.first().click();
    await page.keyboard.press('Escape'); // command mode: keys are for cells, not for their text
    for (let index = 0; index <= figureCell; index += 1) await page.keyboard.press('Shift+Enter');

    const figure = page.locator(`.jp-Cell[data-windowed-list-index="${figureCell}"] .jp-RenderedPlotly`).first();
    await orCellError(page, figure.locator('img, .main-svg').first().waitFor({ timeout: 10 * minutes }));
    await figure.scrollIntoViewIfNeeded();
    await figure.hover(); // the renderer shows the still picture until the mouse comes
    await figure.locator('.js-plotly-plot .main-svg, .main-svg').first().waitFor({ timeout: 1 * minutes });
    await expectPicture(figure, screenshot);
  } catch (error) {
    await page.screenshot({ path: screenshot });
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nscreenshot: ${path.relative(process.cwd(), screenshot)}`);
  } finally {
    await browser.close();
  }
}

/** Waits for the figure, or fails as soon as a cell shows an error instead. */
async function orCellError(page: Page, figure: Promise<void>): Promise<void> {
  const failed = page.locator('.jp-Cell [data-mime-type="application/vnd.jupyter.stderr"]').first();
  const failure = failed.waitFor({ timeout: 10 * minutes }).then(async () => {
    throw new Error(`a cell failed:\n${await failed.innerText()}`);
  });
  failure.catch(() => undefined); // it loses the race when the figure appears
  await Promise.race([figure, failure]);
}

/** A figure worth the name: of some size, and neither blank nor of one colour. */
async function expectPicture(figure: Locator, screenshot: string): Promise<void> {
  const image = await figure.screenshot({ path: screenshot });
  const { data, info } = await sharp(image).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  if (info.width < 300 || info.height < 150) throw new Error(`expected a figure of at least 300 by 150 pixels, got ${info.width} by ${info.height}`);
  const colours = new Map<number, number>();
  for (let at = 0; at < data.length; at += 3) {
    const colour = data.readUIntBE(at, 3);
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  const background = Math.max(...colours.values()) / (info.width * info.height);
  if (colours.size < 20 || background > 0.995) {
    throw new Error(`expected a drawn figure, got ${colours.size} colours, ${(100 * background).toFixed(1)} % of it one colour`);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
