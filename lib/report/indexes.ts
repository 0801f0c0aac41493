/** Indexes of the generated folders: what each picture and table shows, its sources, and which runs exist. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { quotedPuzzles, quotedAccuracy, type RunRecord } from '../experiment/record.js';
import { settingsHash } from '../experiment/run.js';
import { projectRoot } from '../files.js';
import { markdownText } from './escape.js';
import { groupedBySeed, meanAndSpread, toMarkdown } from './tables.js';

/** A generated file without its extension, its subject, and its sources. */
export interface Listed {
  readonly name: string;
  readonly shows: string;
  /** Where the records lie, and their ids, which are their files' names. */
  readonly folder: string;
  readonly records: readonly string[];
}

/** A picture that a notebook or a script makes: its command, and the files that it reads. */
interface Handmade {
  readonly file: string;
  readonly shows: string;
  readonly command: string;
  readonly reads: readonly string[];
}

/** figures/README.md. Throws InputError for a picture in figures/ that nothing makes. */
export function figureIndex(figures: readonly Listed[], tables: readonly Listed[]): string {
  const handmade = [...notebookPictures(), ...scriptPictures];
  const known = new Set([...figures.map(({ name }) => `${name}.png`), ...handmade.map(({ file }) => file)]);
  const unknown = readdirSync(path.join(projectRoot(), 'figures')).filter(
    (file) => /\.(png|gif)$/.test(file) && !known.has(file),
  );
  if (unknown.length > 0)
    throw new InputError(
      'figures/: expected only pictures that npm run report, a notebook or a script makes, ' +
        `got ${unknown.join(', ')}; delete them`,
    );
  const picture = (file: string, shows: string, made: string): string =>
    `### ${file}\n\n${shows.replace(/(?<![?.])$/, '.')} Made by ${made}.\n\n![${shows}](${file})`;
  return `${[
    '# Pictures and tables',
    'This index is made by `npm run report`. Every entry says which command made the file, and from which records.',
    '## Tables',
    tables
      .map(
        (table) =>
          `* [${table.name}.md](${table.name}.md) ([.csv](${table.name}.csv)): ${table.shows}, from ${madeOf(table)}`,
      )
      .join('\n'),
    'All of them are made by `npm run report`.',
    '## Pictures made from records',
    ...figures.map((figure) =>
      picture(`${figure.name}.png`, figure.shows, `\`npm run report\` from ${madeOf(figure)}`),
    ),
    '## Pictures made by notebooks and scripts',
    ...handmade.map(({ file, shows, command, reads }) =>
      picture(
        file,
        shows,
        `\`${command}\`${reads.length === 0 ? '' : ` from ${reads.map((each) => `\`${each}\``).join(', ')}`}`,
      ),
    ),
  ].join('\n\n')}\n`;
}

/** "36 records data/runs/sudoku-6x6-*": their number and common prefix. */
function madeOf({ folder, records }: Listed): string {
  if (records.length === 1) return `\`${folder}/${markdownText(records[0] ?? '')}.json\``;
  const [first = '', ...rest] = records.map(markdownText);
  let shared = first;
  for (const id of rest) while (!id.startsWith(shared)) shared = shared.slice(0, -1);
  return `${records.length} records \`${folder}/${shared}*.json\``;
}

/** The pictures that notebooks save, found in their cells' code; the files they read are in the cells' tags. */
function notebookPictures(): Handmade[] {
  const folder = path.join(projectRoot(), 'notebooks');
  const notebooks = readdirSync(folder).filter((file) => file.endsWith('.ipynb'));
  return notebooks.sort().flatMap((notebook) => {
    const { cells } = JSON.parse(readFileSync(path.join(folder, notebook), 'utf8')) as {
      readonly cells: readonly {
        readonly source: readonly string[];
        readonly metadata: { readonly tags?: readonly string[] };
      }[];
    };
    const title = cells[0]?.source[0]?.replace(/^#\s*/, '').trim() ?? notebook;
    const reads = cells.flatMap(({ metadata: { tags = [] } }) =>
      tags.filter((tag) => tag.startsWith('reads=')).map((tag) => tag.slice('reads='.length)),
    );
    const saved = [
      ...cells
        .flatMap(({ source }) => source)
        .join('')
        .matchAll(/\bsave(Figure|Movie)\('([a-z0-9-]+)'/g),
    ];
    return saved.map(([, kind, name]) => ({
      file: `${name}.${kind === 'Movie' ? 'gif' : 'png'}`,
      shows: `From notebook ${title}`,
      command: `npm run nb:run -- --inplace notebooks/${notebook}`,
      reads: [...new Set(reads)],
    }));
  });
}

const scriptPictures: readonly Handmade[] = [
  {
    file: 'maze-distributions.png',
    shows: 'The shipped mazes compared with those of Maze-Hard',
    command: 'node scripts/data/maze-distributions.mjs',
    reads: ['data/maze-30x30-generated.csv.gz', 'maze_30x30_hard_1k_test.csv.gz'],
  },
];

/** README.md of a folder of records: the experiments, their seeds and results. */
export function recordIndex(folder: string, records: readonly RunRecord[]): string {
  const rows = groupedBySeed(records).map((group) => {
    const [{ experiment }] = group;
    const seeds = group.map(({ seed }) => seed).sort((a, b) => a - b);
    return [
      experiment.name,
      experiment.variant ?? '–',
      experiment.scale,
      seeds.join(', '),
      meanAndSpread(group.map(quotedAccuracy)),
      Math.min(...group.map(quotedPuzzles)).toLocaleString('en'),
      group[0].data.test.name,
      settingsHash(group[0].id),
    ];
  });
  return `${[
    `# Records in ${folder}`,
    'This index is made by `npm run report`. Each record is a JSON file, named by experiment, seed and settings.',
    toMarkdown({ columns: ['experiment', 'variant', 'scale', 'seeds', 'solved', 'puzzles', 'data', 'settings'], rows }),
    `Solved is the share of ${folder === 'data/search' ? 'validation' : 'test'} puzzles with every cell right, ` +
      'after the last supervision step; for ARC it is the share of tasks solved in two tries.',
  ].join('\n\n')}\n`;
}
