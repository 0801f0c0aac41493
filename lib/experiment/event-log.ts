/** A run's curve for TensorBoard: event files, which TensorFlow itself writes. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { tensorflowWriter } from '../engine/tfjs/backend.js';
import { InputError } from '../errors.js';
import type { CurvePoint, RunEvaluation } from './record.js';

/** Takes the whole curve so far on every call, and writes each point once. */
export type EventLog = (curve: readonly CurvePoint[], evaluations: readonly RunEvaluation[]) => void;

let opened = 0;

/**
 * Opens the log in a folder of its own. Replaces earlier event files: a resumed run writes its curve again from the
 * checkpoint, so no step is there twice. Throws InputError if TensorFlow (tfjs-node) does not load, or the engine
 * computes on another backend of TensorFlow.js.
 */
export async function openEventLog(folder: string, backend: string | undefined): Promise<EventLog> {
  if (backend !== undefined && backend !== 'auto' && backend !== 'tensorflow')
    throw new InputError(`--log tensorboard: expected --backend tensorflow, which writes the files, got ${backend}`);
  const open = await tensorflowWriter();
  for (const name of existsSync(folder) ? readdirSync(folder) : [])
    if (name.startsWith('events.out.tfevents.')) rmSync(path.join(folder, name));
  // TensorFlow keeps one writer for each name of a folder, whose file may be gone. Each log needs a new name.
  const writer = open(`${folder}${'/.'.repeat(opened++)}`);
  let [trained, evaluated] = [0, 0]; // last steps written
  return (curve, evaluations) => {
    const points = curve.filter(({ step }) => step > trained);
    const scores = evaluations.filter(({ step }) => step > evaluated);
    for (const { step, ...values } of points)
      for (const [name, value] of Object.entries(values))
        if (value !== null) writer.scalar(`training/${name}`, value, step);
    for (const { step, exactAccuracy, cellAccuracy } of scores) {
      writer.scalar('evaluation/exactAccuracy', exactAccuracy.at(-1) ?? NaN, step);
      writer.scalar('evaluation/cellAccuracy', cellAccuracy.at(-1) ?? NaN, step);
    }
    if (points.length + scores.length > 0) writer.flush();
    [trained, evaluated] = [points.at(-1)?.step ?? trained, scores.at(-1)?.step ?? evaluated];
  };
}
