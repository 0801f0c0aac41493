/**
 * One task of a Slurm array, node slurm-task.js ORDER INDEX: makes the run at its index, continuing any earlier try.
 */
import { readFileSync } from 'node:fs';
import { errorText } from '../file-errors.js';
import { work, type WorkOrder } from './work.js';

const sayEvery = 60_000; // ms

const [file, index] = process.argv.slice(2);
if (file === undefined || index === undefined) throw new Error('expected an order file and an index');
const order = (JSON.parse(readFileSync(file, 'utf8')) as WorkOrder[])[Number(index)];
if (order === undefined) throw new Error(`${file}: expected a run ${index}, got none`);

let stop = false;
process.on('SIGTERM', () => {
  stop = true;
  console.log(`${order.id}: asked to stop, saving`);
});

const { SLURM_ARRAY_JOB_ID: array, SLURM_RESTART_COUNT: restarts = '0' } = process.env;
console.log(`${order.id}: start${restarts === '0' ? '' : `, after ${restarts} restart${restarts === '1' ? '' : 's'}`}`);
let saidAt = performance.now();
try {
  const outcome = await work(order, {
    shouldStop: () => stop,
    onShare: (share) => {
      if (performance.now() - saidAt < sayEvery) return;
      saidAt = performance.now();
      console.log(`${order.id}: ${Math.floor(100 * share)} %`);
    },
    ...(array === undefined ? {} : { job: `${array}_${index}` }),
  });
  console.log(`${order.id}: ${outcome}`);
  process.exitCode = outcome === 'stopped' ? 1 : 0;
} catch (error) {
  console.error(errorText(error)); // sweep status shows the log's last line
  process.exitCode = 1;
}
