/** A sweep in a process of its own, to be killed: node sweep-child.js RECORDS RUNS. */
import { planTable } from '../../lib/sweep/plan.js';
import { runSweep } from '../../lib/sweep/sweep.js';

const [records, folder] = process.argv.slice(2);
if (records === undefined || folder === undefined) throw new Error('expected two folders');
await runSweep(planTable(1, 'smoke', 2, ['hrm', 'trm', 'trm-no-ema']), {
  records,
  folder,
  engine: { engine: 'native', precision: 'float32', threads: 1 },
  jobs: 2,
});
