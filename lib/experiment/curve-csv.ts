/** A run's learning curve as CSV, for a spreadsheet or any plotting program. */
import type { CurvePoint, RunEvaluation } from './record.js';

const columns = ['step', 'answerLoss', 'haltLoss', 'exactAccuracy', 'cellAccuracy', 'meanSteps'] as const;

/**
 * One line for each point of the curve and each evaluated step, with the shares of puzzles and cells right after the
 * last supervision step. Cells without a measurement are empty.
 */
export function curveCsv(curve: readonly CurvePoint[], evaluations: readonly RunEvaluation[]): string {
  const points = new Map(curve.map((point) => [point.step, point]));
  const scored = new Map(evaluations.map((evaluation) => [evaluation.step, evaluation]));
  const steps = [...new Set([...points.keys(), ...scored.keys()])].sort((a, b) => a - b);
  const lines = steps.map((step) => {
    const [point, evaluation] = [points.get(step), scored.get(step)];
    const rest = columns.slice(1).map((column) => point?.[column]);
    return [step, ...rest, evaluation?.exactAccuracy.at(-1), evaluation?.cellAccuracy.at(-1)]
      .map((value) => String(value ?? ''))
      .join(',');
  });
  return `${[[...columns, 'evaluatedExact', 'evaluatedCells'].join(','), ...lines].join('\n')}\n`;
}
