/** What a notebook offers: rich output, a progress line, the Interrupt button; on a terminal, lines of text. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { InputError, show as shown } from '../errors.js';
import { toPng, toSvg, type Animation, type Drawing, type Figure } from '../report/draw/plotly.js';
import { Progress } from '../progress.js';
import { htmlText } from '../report/escape.js';
import { fontFamily } from '../report/draw/style.js';

/** Content by MIME type; bytes are sent in base64. */
export type Bundle = Readonly<Record<string, unknown>>;

interface Message {
  readonly data: Bundle;
  readonly metadata: Bundle;
  readonly transient: { readonly display_id: string };
}

type Sender = (message: Message, update: boolean) => void;

/** Deno's own interface to Jupyter, which only its kernel has. */
interface DenoJupyter {
  broadcast(type: 'display_data' | 'update_display_data', content: Message): Promise<void>;
}

const deno = denoJupyter();

function denoJupyter(): DenoJupyter | undefined {
  try {
    return (globalThis as { readonly Deno?: { readonly jupyter: DenoJupyter } }).Deno?.jupyter;
  } catch (error) {
    if (/only available in `deno jupyter`/.test(String(error))) return undefined; // Deno, but no notebook
    throw error;
  }
}

/** Sends to the kernel that runs this: Deno's or tslab's. Undefined outside a notebook. */
function sender(): Sender | undefined {
  if (deno === undefined) return tslabSender();
  return (message, update) => void deno.broadcast(update ? 'update_display_data' : 'display_data', message);
}

/** tslab's public functions send one MIME type at a time; its internal sender takes a whole bundle. */
function tslabSender(): Sender | undefined {
  try {
    const jupyter = createRequire(import.meta.url)('tslab/dist/jupyter.js') as {
      lastWriteDisplayData: Sender | null;
    };
    return jupyter.lastWriteDisplayData ?? undefined;
  } catch (error) {
    // Installed without tslab: no notebooks.
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Whether a notebook cell is running. */
export function inNotebook(): boolean {
  return sender() !== undefined;
}

/** One place below a cell; new content replaces the old. */
export class Output {
  readonly #id = randomUUID();
  #shown = false;

  /** Shows a bundle. Outside a notebook its text/plain is printed, if it has any. */
  show(data: Bundle, metadata: Bundle = {}): void {
    const send = sender();
    if (send === undefined) {
      const text = data['text/plain'];
      if (text !== undefined) console.log(text);
      return;
    }
    const encoded = Object.fromEntries(
      Object.entries(data).map(([type, content]) => [
        type,
        content instanceof Uint8Array ? Buffer.from(content).toString('base64') : content,
      ]),
    );
    send({ data: encoded, metadata, transient: { display_id: this.#id } }, this.#shown);
    this.#shown = true;
  }
}

/**
 * Shows a figure, a drawing, an animation, or Markdown below the cell, or in `output`, replacing what is there.
 * Figures are interactive where plotly's renderer is installed and a picture elsewhere.
 */
export async function show(
  content: Figure | Drawing | Animation | string,
  output: Output = new Output(),
): Promise<void> {
  if (!(output instanceof Output))
    throw new InputError(`show: expected one content, got ${shown(output)} beside it; show each by a call of its own`);
  if (typeof content === 'string') output.show({ 'text/markdown': content, 'text/plain': content });
  else if (typeof content !== 'object' || content === null)
    await toSvg(content); // throws
  else if ('svg' in content)
    output.show({ 'image/png': await toPng(content.svg, 2), 'text/plain': content.text }, sizeOf(content));
  else if ('still' in content)
    output.show(
      {
        ...plotlyBundle(content.figure),
        'image/png': await toPng(content.still.svg, 1),
        'text/plain': content.still.text,
      },
      sizeOf(content.still),
    );
  else output.show({ ...plotlyBundle(content), ...(await pictureBundle(content)) }, sizeOf(content.layout));
}

/**
 * Shows a figure as a still picture, for repeated drawing: once the mouse has touched an interactive figure,
 * JupyterLab's plotly renderer no longer replaces it. Show the last state with `show`.
 */
export async function showPicture(figure: Figure, output: Output): Promise<void> {
  output.show(await pictureBundle(figure), sizeOf(figure.layout));
}

// One pixel a CSS pixel: JupyterLab's plotly renderer shows the picture in its full size until the mouse comes.
async function pictureBundle(figure: Figure): Promise<Bundle> {
  return { 'image/png': await toPng(await toSvg(figure), 1), 'text/plain': `[figure: ${titleOf(figure)}]` };
}

// Without text/html, which GitHub and nbconvert would prefer to the picture and then strip of its script.
function plotlyBundle({ data, layout, frames }: Figure): Bundle {
  return {
    'application/vnd.plotly.v1+json': {
      data,
      layout,
      ...(frames === undefined ? {} : { frames }),
      config: { displaylogo: false },
    },
  };
}

function sizeOf({ width, height }: { readonly width: number; readonly height: number }): Bundle {
  return { 'image/png': { width, height } };
}

function titleOf(figure: Figure): string {
  const { text = 'untitled' } = (figure.layout['title'] ?? {}) as { text?: string };
  return text.replace(/<br>/g, ' · ').replace(/<[^>]*>/g, '');
}

/** Progress below the cell, a bar before its line; on standard error outside a notebook. */
export function cellProgress(): Progress {
  if (!inNotebook()) return new Progress();
  const output = new Output();
  const font = `${fontFamily.replaceAll("'", '&#39;')}; font-size: 13px`;
  return new Progress({
    every: () => 250,
    show: (line, share) => {
      const bar = `<progress value="${share}" max="1" style="width: 14em; vertical-align: middle"></progress>`;
      output.show({
        'text/plain': line,
        'text/html': `<div style="font-family: ${font}">${bar} ${htmlText(line)}</div>`,
      });
    },
    end: () => undefined,
  });
}

/** Presses of Interrupt so far, counted by scripts/setup/tslab/kernel.cjs, or by this file under Deno. */
const presses = globalThis as { __interrupts?: number };

// Deno's kernel ends on an interrupt unless something listens.
if (deno !== undefined) {
  presses.__interrupts = 0;
  process.on('SIGINT', () => {
    presses.__interrupts = interrupts() + 1;
  });
}

function interrupts(): number {
  return presses.__interrupts ?? 0;
}

/** Ends a cell whose work was interrupted under Deno, which would run the rest of it; tslab ends it by itself. */
export function endInterruptedCell(): void {
  if (deno !== undefined) throw new InputError('interrupted');
}

let answered = 0;

/** Whether Interrupt was pressed since the last call: pass it as shouldStop. */
export function interrupted(): boolean {
  const pressed = interrupts() > answered;
  answered = interrupts();
  return pressed;
}

/** For a long task: whether Interrupt was pressed since this call. It stays true, since a task may ask again. */
export function interruptedFromNow(): () => boolean {
  interrupted(); // earlier presses were meant for something else
  let stopped = false;
  return () => (stopped ||= interrupted());
}
