/**
 * JupyterLab in a real browser, as a reader uses it: runs notebooks cell by cell, looks at their figures, presses
 * Interrupt while a model trains, and goes on. Run by .ci/run: node build/test/browser/lab.js [NAME of one check].
 * Needs Chromium and the lab set up.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Locator, type Page } from 'playwright-core';
import sharp from 'sharp';
import { projectRoot } from '../../lib/files.js';

const token = 'local-test';
const seconds = 1000;
const minutes = 60 * seconds;
/**
 * Generous, because a machine that does other things too is ten times slower;
 * what is waited for comes at once on an idle one.
 */
const patience = 4 * minutes;
/**
 * For 200 ms after a cell that failed or was interrupted tslab drops whatever else it is asked to run (its issue 19).
 */
const kernelDeaf = 2 * seconds;

/** Notebooks that run up to their first plotly figure, which is then looked at. */
const figureNotebooks = ['1-how-it-thinks', '2-train', '7-thinking-longer'];

interface Notebook {
  readonly cells: readonly {
    readonly cell_type: string;
    readonly outputs?: readonly { readonly data?: Readonly<Record<string, unknown>> }[];
  }[];
}

/** What a reader does, each with a kernel of its own. */
function checks(
  root: string,
  open: (name: string, changes?: typeof longTraining) => Promise<OpenNotebook>,
): readonly { readonly name: string; readonly says: string; check(): Promise<void> }[] {
  const watch = async (action: (notebook: OpenNotebook) => Promise<void>, ...copy: Parameters<typeof open>) => {
    const notebook = await open(...copy);
    forgetRuns(root);
    await notebook.watched(() => action(notebook));
    await notebook.close();
    forgetRuns(root);
  };
  return [
    ...figureNotebooks.map((name) => ({
      name,
      says: 'its first figure is visible and interactive',
      check: () => watch(seeFirstFigure, name),
    })),
    {
      name: 'hover',
      says: 'under the resting mouse the learning curve grows, and the last one is interactive',
      check: () => watch(hoverWhileTraining, '2-train', shortTraining),
    },
    {
      name: 'interrupt',
      says: 'progress moves, Interrupt keeps what was learned, running the cell again goes on from there',
      check: () => watch(interruptAndGoOn, '2-train', longTraining),
    },
  ];
}

async function main(only?: string): Promise<void> {
  const root = projectRoot();
  // Copies, because JupyterLab saves what it runs; in a folder beside notebooks/, so that ../dist is still the library.
  const folder = path.join(root, 'build-browser');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const scratch = mkdtempSync(path.join(tmpdir(), 'trm-lab-browser-'));
  const server = startLab(root, scratch);
  try {
    const address = await addressOf(server);
    const browser = await chromium.launchPersistentContext(path.join(scratch, 'browser'), {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      headless: true,
      viewport: { width: 1280, height: 1000 },
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    try {
      const open = async (name: string, changes?: typeof longTraining): Promise<OpenNotebook> =>
        openCopy(await browser.newPage(), root, folder, name, address, changes);
      for (const { name, says, check } of checks(root, open).filter(({ name }) => (only ?? name) === name)) {
        await check();
        console.log(`${name}: ${says}`);
      }
    } finally {
      await browser.close();
    }
  } finally {
    await stopped(server);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A run that ends, but not before its curve was drawn some times. */
const shortTraining: readonly (readonly [string, string])[] = [
  ['smoke ? 20 :', 'smoke ? 1500 :'],
  ['TRM_SEED ?? 0', 'TRM_SEED ?? 90210'],
];

/** A run long enough to be interrupted, of a seed that nobody else uses. */
const longTraining: readonly (readonly [string, string])[] = [
  ['smoke ? 20 :', 'smoke ? 20000 :'],
  ['TRM_SEED ?? 0', 'TRM_SEED ?? 90210'],
];

function forgetRuns(root: string): void {
  const runs = path.join(root, 'runs');
  mkdirSync(runs, { recursive: true });
  for (const name of readdirSync(runs))
    if (name.includes('-seed90210-')) rmSync(path.join(runs, name), { recursive: true });
}

/** Opens a copy of a notebook, its first code cell changed as a reader would change it, with a kernel that is ready. */
async function openCopy(
  page: Page,
  root: string,
  folder: string,
  name: string,
  address: string,
  changes: readonly (readonly [string, string])[] = [],
): Promise<OpenNotebook> {
  let text = readFileSync(path.join(root, 'notebooks', `${name}.ipynb`), 'utf8');
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${name}: expected a cell with "${from}"`);
    text = text.replace(from, to);
  }
  const copy = `${name}${changes.length > 0 ? '-changed' : ''}.ipynb`;
  writeFileSync(path.join(folder, copy), text);
  page.setDefaultTimeout(patience);
  await page.goto(`${address}lab/tree/${path.basename(folder)}/${copy}?reset&token=${token}`);
  const notebook = new OpenNotebook(page, JSON.parse(text) as Notebook, path.join(folder, `${copy}.png`));
  await notebook.watched(() => notebook.ready());
  return notebook;
}

/** One notebook in JupyterLab. Cells are counted from 0, Markdown cells included. */
class OpenNotebook {
  readonly page: Page;
  readonly content: Notebook;
  readonly screenshot: string;

  constructor(page: Page, content: Notebook, screenshot: string) {
    this.page = page;
    this.content = content;
    this.screenshot = screenshot;
  }

  /** Waits until the kernel answers: keys pressed before that are lost. */
  async ready(): Promise<void> {
    await this.#cells.first().waitFor({ timeout: patience });
    await this.page.waitForFunction(
      () => {
        const app = (
          globalThis as {
            jupyterapp?: {
              shell: {
                currentWidget?: {
                  sessionContext?: {
                    isReady: boolean;
                    session?: { kernel?: { status: string; connectionStatus: string } };
                  };
                };
              };
            };
          }
        ).jupyterapp;
        const context = app?.shell.currentWidget?.sessionContext;
        return (
          context?.isReady === true &&
          context.session?.kernel?.status === 'idle' &&
          context.session.kernel.connectionStatus === 'connected'
        );
      },
      undefined,
      { timeout: patience },
    );
    await this.#cells.first().click();
    await this.page.keyboard.press('Escape'); // command mode: keys are for cells, not for their text
  }

  cell(index: number): Locator {
    return this.page.locator(`.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell[data-windowed-list-index="${index}"]`);
  }

  /** Presses Shift+Enter on the selected cell, which must be this one. */
  async press(index: number): Promise<void> {
    await this.page
      .locator(`.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell.jp-mod-active[data-windowed-list-index="${index}"]`)
      .waitFor({ timeout: patience });
    await this.page.keyboard.press('Shift+Enter');
  }

  /** Runs the cells from … to, both included, each after the one before has ended. */
  async run(from: number, to: number): Promise<void> {
    for (let index = from; index <= to; index++) {
      await this.press(index);
      if (this.content.cells[index]?.cell_type === 'code') await this.ended(index);
    }
  }

  /** Waits until a cell has its number; fails as soon as it shows an error instead. */
  async ended(index: number): Promise<void> {
    const number = this.cell(index)
      .locator('.jp-InputPrompt')
      .filter({ hasText: /\[\d+\]/ });
    const failure = this.cell(index).locator('[data-mime-type="application/vnd.jupyter.stderr"]').first();
    await number
      .or(failure)
      .first()
      .waitFor({ timeout: 2 * patience });
    if (await failure.isVisible()) throw new Error(`cell ${index + 1} failed:\n${await failure.innerText()}`);
  }

  /** The index of the first cell that showed a plotly figure when the notebook was committed. */
  firstFigure(): number {
    const index = this.content.cells.findIndex(({ outputs = [] }) =>
      outputs.some(({ data = {} }) => 'application/vnd.plotly.v1+json' in data),
    );
    if (index < 0) throw new Error('expected a cell with a plotly figure, found none');
    return index;
  }

  /** Leaves a picture of the page if what is done with it fails. */
  async watched(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      await this.page.screenshot({ path: this.screenshot });
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}\n` +
          `screenshot: ${path.relative(process.cwd(), this.screenshot)}`,
      );
    }
  }

  /** Ends the kernel too. */
  async close(): Promise<void> {
    await this.page.evaluate(async () => {
      const app = (
        globalThis as unknown as {
          jupyterapp: { shell: { currentWidget: { sessionContext: { shutdown(): Promise<void> } } } };
        }
      ).jupyterapp;
      await app.shell.currentWidget.sessionContext.shutdown();
    });
    await this.page.close();
  }

  get #cells(): Locator {
    return this.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell');
  }
}

/** Runs a notebook up to its first figure and looks at it. */
async function seeFirstFigure(notebook: OpenNotebook): Promise<void> {
  const index = notebook.firstFigure();
  await notebook.run(0, index);
  const figure = notebook.cell(index).locator('.jp-RenderedPlotly').first();
  await figure.scrollIntoViewIfNeeded();
  await figure.hover(); // the renderer shows the still picture until the mouse comes
  await figure.locator('.js-plotly-plot .main-svg, .main-svg').first().waitFor({ timeout: patience });
  await expectPicture(figure, notebook.screenshot);
}

/** Rests the mouse on the learning curve while a model trains: it goes on growing, and is interactive at the end. */
async function hoverWhileTraining(notebook: OpenNotebook): Promise<void> {
  const index = notebook.firstFigure();
  await notebook.run(0, index - 1);
  await notebook.press(index);
  await stepsShown(notebook, index, 0);
  const figure = notebook.cell(index).locator('.jp-RenderedImage img, .jp-RenderedPlotly').last();
  await figure.scrollIntoViewIfNeeded();
  const seen = new Set<string>();
  const numbered = notebook
    .cell(index)
    .locator('.jp-InputPrompt')
    .filter({ hasText: /\[\d+\]/ });
  while (!(await numbered.isVisible())) {
    await figure.hover();
    seen.add(await drawnLines(figure));
    await notebook.page.waitForTimeout(500);
  }
  // From the still picture to the interactive figure is one change without news.
  if (seen.size < 4)
    throw new Error(`expected the curve under the mouse to grow, saw ${seen.size} pictures until the end`);
  await figure.hover();
  await notebook.cell(index).locator('.js-plotly-plot .main-svg').first().waitFor({ timeout: patience });
  const step = await notebook
    .cell(index)
    .locator('.js-plotly-plot')
    .first()
    .evaluate((node) => (node as unknown as { data: { x: number[] }[] }).data[0]?.x.at(-1));
  if (step !== 1500) throw new Error(`expected the last curve to reach step 1500, it ends at ${step}`);
  await expectPicture(notebook.cell(index).locator('.jp-RenderedPlotly').last(), notebook.screenshot);
}

/** What a figure shows at this moment: its picture, or the lines that plotly has drawn. */
function drawnLines(figure: Locator): Promise<string> {
  return figure.evaluate((node) => {
    const image = node.tagName === 'IMG' ? node : node.querySelector('img');
    if (image !== null && image.offsetParent !== null) return image.src;
    return [...node.querySelectorAll('path.js-line')].map((line) => line.getAttribute('d')).join(' ');
  });
}

/** Interrupts a training while it runs, and runs its cell again. */
async function interruptAndGoOn(notebook: OpenNotebook): Promise<void> {
  const index = notebook.firstFigure();
  await notebook.run(0, index - 1);
  await notebook.press(index);
  const first = await stepsShown(notebook, index, 0);
  const later = await stepsShown(notebook, index, first);
  await notebook.page.locator('[data-command="notebook:interrupt-kernel"]').first().click();
  const stopped = notebook
    .cell(index)
    .getByText(/Stopped after \d+ of 20000 steps/)
    .first();
  await stopped.waitFor({ timeout: patience });
  const kept = Number(/Stopped after (\d+)/.exec(await stopped.innerText())?.[1]);
  const said = await notebook.cell(index).locator('[data-mime-type="application/vnd.jupyter.stderr"]').allInnerTexts();
  if (said.join('').trim() !== 'Interrupted.')
    throw new Error(`expected an interrupted cell to say so in one word, got:\n${said.join('')}`);
  if (!(kept >= later))
    throw new Error(`expected Interrupt to keep at least the ${later} steps that were shown, kept ${kept}`);

  await notebook.page.waitForTimeout(kernelDeaf);
  await notebook.cell(index).locator('.jp-InputPrompt').click(); // selects the cell
  await notebook.press(index);
  const resumed = await stepsShown(notebook, index, kept - 1);
  if (resumed > kept + 15_000) throw new Error(`expected training to go on from step ${kept}, it stands at ${resumed}`);
  await notebook.page.locator('[data-command="notebook:interrupt-kernel"]').first().click();
  await stopped.waitFor({ timeout: patience });
}

/** Waits until the progress line of a cell shows more than so many steps; returns how many. */
async function stepsShown(notebook: OpenNotebook, index: number, moreThan: number): Promise<number> {
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    const line = await notebook
      .cell(index)
      .getByText(/training: \d+\/\d+ steps/)
      .first()
      .innerText({ timeout: patience });
    const steps = Number(/training: (\d+)/.exec(line)?.[1]);
    if (steps > moreThan) return steps;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`expected training to get beyond step ${moreThan} in ${patience / minutes} minutes`);
}

/** JupyterLab with its own empty configuration, so that nothing of this user's changes the test. */
function startLab(root: string, scratch: string): ChildProcess {
  const jupyter = path.join(root, '.venv', 'bin', 'jupyter');
  const settings = ['config', 'data', 'runtime'].map((kind) => [
    `JUPYTER_${kind.toUpperCase()}_DIR`,
    path.join(scratch, kind),
  ]);
  return spawn(
    jupyter,
    [
      'lab',
      '--ip=127.0.0.1',
      '--port=0',
      '--no-browser',
      '--allow-root',
      `--ServerApp.root_dir=${root}`,
      `--IdentityProvider.token=${token}`,
      '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
      '--LabApp.news_url=None',
      '--LabApp.expose_app_in_browser=True',
    ],
    {
      cwd: root,
      env: { ...process.env, ...(Object.fromEntries(settings) as NodeJS.ProcessEnv), TRM_SMOKE: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
}

/** Waits until the server says where it listens; its last words are the error if it ends before. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(
      () => reject(new Error(`JupyterLab did not start within ${patience / minutes} minutes:\n${said}`)),
      patience,
    );
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

/** A figure worth the name: of some size, and neither blank nor of one colour. */
async function expectPicture(figure: Locator, screenshot: string): Promise<void> {
  const image = await figure.screenshot({ path: screenshot });
  const { data, info } = await sharp(image).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  if (info.width < 300 || info.height < 150)
    throw new Error(`expected a figure of at least 300 by 150 pixels, got ${info.width} by ${info.height}`);
  const colours = new Map<number, number>();
  for (let at = 0; at < data.length; at += 3) {
    const colour = data.readUIntBE(at, 3);
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  const background = Math.max(...colours.values()) / (info.width * info.height);
  if (colours.size < 20 || background > 0.995) {
    throw new Error(
      `expected a drawn figure, got ${colours.size} colours, ${(100 * background).toFixed(1)} % of it one colour`,
    );
  }
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
