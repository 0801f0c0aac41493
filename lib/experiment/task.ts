/** A task as plain data, and the data sets it stands for. */
import type { Dataset } from '../data/dataset.js';
import { sudokuDataset, type SudokuSetOptions } from '../data/sudoku-sets.js';
import { InputError } from '../errors.js';
import type { ModelConfig } from '../model/config.js';

/** Sudoku: which boards, how many, and how many augmented copies of each training puzzle. */
export interface SudokuTask extends SudokuSetOptions {
  readonly kind: 'sudoku';
}

export type Task = SudokuTask;

/** The data sets of a task. */
export interface TaskData {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly validation: Dataset;
}

/** Loads or generates a task's data sets. Throws InputError if a file is missing or damaged. */
export async function loadTask(task: Task): Promise<TaskData> {
  return sudokuDataset(task);
}

/** What a task fixes of a model. */
export function taskShape(task: Task): Pick<ModelConfig, 'vocabSize' | 'sequenceLength' | 'puzzleIds'> {
  return { vocabSize: task.side + 2, sequenceLength: task.side ** 2, puzzleIds: 1 };
}

/** Checks a task from any source. Throws InputError naming every unknown, missing or impossible field. */
export function checkTask(candidate: Readonly<Record<string, unknown>> | Task): Task {
  const fields = candidate as Readonly<Record<string, unknown>>;
  const problems: string[] = [];
  const known = ['kind', 'side', 'source', 'trainPuzzles', 'testPuzzles', 'validationPuzzles', 'augmentations', 'minDifficulty', 'seed'];
  for (const key of Object.keys(fields)) if (!known.includes(key)) problems.push(`unknown field ${key}`);
  if (fields['kind'] !== 'sudoku') problems.push(`kind: expected sudoku, got ${String(fields['kind'])}`);
  if (![4, 6, 9].includes(fields['side'] as number)) problems.push(`side: expected 4, 6 or 9, got ${String(fields['side'])}`);
  if (!['generated', 'public-domain', 'sudoku-extreme'].includes(fields['source'] as string)) problems.push(`source: expected generated, public-domain or sudoku-extreme, got ${String(fields['source'])}`);
  if (fields['source'] !== 'generated' && fields['side'] !== 9) problems.push(`source ${String(fields['source'])}: expected side 9, got ${String(fields['side'])}`);
  for (const key of ['trainPuzzles', 'testPuzzles', 'validationPuzzles', 'augmentations', 'minDifficulty', 'seed']) {
    const value = fields[key];
    const least = key === 'trainPuzzles' ? 1 : 0;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > 2 ** 32 - 1) problems.push(`${key}: expected a whole number from ${least}, got ${String(value)}`);
  }
  if (problems.length > 0) throw new InputError(`task: ${problems.join('; ')}`);
  return candidate as Task;
}
