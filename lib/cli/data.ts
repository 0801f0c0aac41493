/** trm-lab data: shows the data sets of an experiment, checks puzzle files, and builds and imports sets. */
import { kindOfSet } from '../data/forms.js';
import { InputError } from '../errors.js';
import { summarizeMazes } from '../data/maze-numbers.js';
import { overlapOf } from '../data/overlap.js';
import { summarizeSudokus } from '../data/sudoku-numbers.js';
import { arcBuildOptions, buildArcSet, rowText, showArc } from './data-arc.js';
import { checkData } from './data-check.js';
import { buildOptions, buildPuzzles, getPublished, importFile } from './data-files.js';
import { unreadWhere, type Arguments, type Command, type Out } from './command.js';
import { experimentOptions, loadShown, readExperiment } from './experiment-options.js';
import { notFor } from './data-uses.js';
import { everyField } from './settings.js';

export const dataCommand: Command = {
  name: 'data',
  summary:
    "Show an experiment's data sets and their overlap, check puzzles, build data sets in the reference's format, " +
    'import or download published ones.',
  positionals:
    '<show | check FILE|FOLDER | build sudoku|maze|arc1|arc2 | import sudoku|maze FILE | get sudoku-extreme|maze-hard>',
  count: [1, 3],
  options: {
    ...unreadWhere(
      notFor('show'),
      experimentOptions(() => ({ task: everyField }), 'task.trainPuzzles=100,task.seed=1'),
    ),
    ...unreadWhere(notFor('check', 'build sudoku', 'build maze'), {
      side: {
        value: 'N',
        range: [4, 30],
        about:
          'check: 4, 6 or 9, default as in the file; build sudoku: 4, 6 or 9, default 9; build maze: 6 to 30, ' +
          'default 30',
      },
    }),
    ...buildOptions,
    ...arcBuildOptions,
  },
  example: 'data check data/sudoku-9x9-public-domain.csv.gz',
  minutes: 'half a minute',

  async run(args, out) {
    const [verb, what, file] = args.positionals;
    const kind = what === 'sudoku' || what === 'maze' ? what : undefined;
    if (verb === 'show' && what === undefined) return show(args, out);
    if (verb === 'check' && what !== undefined && file === undefined) return checkData(what, args, out);
    if (verb === 'build' && (what === 'arc1' || what === 'arc2') && file === undefined)
      return buildArcSet(what, args, out);
    if (verb === 'build' && kind !== undefined && file === undefined) return buildPuzzles(kind, args, out);
    if (verb === 'import' && kind !== undefined && file !== undefined) return importFile(kind, file, out);
    if (verb === 'get' && what !== undefined && file === undefined) return getPublished(what, out);
    throw new InputError(`data: expected ${dataCommand.positionals.slice(1, -1)}, got ${args.positionals.join(' ')}`);
  },
};

async function show(args: Arguments, out: Out): Promise<number> {
  const { task } = readExperiment(args);
  const data = await loadShown(task, 'generating');
  if (task.kind === 'arc') return showArc(data, out);
  const { train, test, validation } = data;
  const sets = [train, test, validation].filter(({ examples }) => examples > 0);
  const kind = kindOfSet(train);
  if (kind === 'other')
    throw new InputError(`${train.name}: expected Sudokus or mazes to show; data check reads any folder`);
  const largest = Math.max(...sets.map(({ examples }) => examples));
  if (largest > 10_000)
    out.note(`comparing ${largest.toLocaleString('en')} puzzles up to symmetry, about 3,000 a second`);
  const summaries = sets.map(kind === 'maze' ? summarizeMazes : summarizeSudokus);
  const overlaps = sets.slice(1).map((set) => overlapOf(train, set));
  for (const row of [...summaries, ...overlaps]) out.line(rowText(row));
  if (train.note !== '') out.line(train.note);
  out.result({ sets: summaries, overlaps });
  return 0;
}
