/** The README's results are those of the records. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { withReports } from '../../lib/cli/report.js';
import { readRecords } from '../../lib/experiment/record.js';
import { projectRoot } from '../../lib/files.js';

describe('report', () => {
  const records = readRecords(path.join(projectRoot(), 'data', 'runs'));
  const readme = readFileSync(path.join(projectRoot(), 'README.md'), 'utf8');

  it('has records to report', () => assert.ok(records.length > 0));

  it('left a README whose tables are what the records say: run npm run report after adding one', () => {
    assert.equal(withReports(readme, records), readme);
  });

  it('changes nothing outside its markers, and refuses a text without them', () => {
    const text = 'before\n<!-- results -->\nold\n<!-- /results -->\nbetween\n<!-- table-1 -->\nold\n<!-- /table-1 -->\nafter\n';
    const changed = withReports(text, records);
    assert.ok(changed.startsWith('before\n<!-- results -->\n') && changed.endsWith('\n<!-- /table-1 -->\nafter\n'));
    assert.ok(changed.includes('\n<!-- /results -->\nbetween\n<!-- table-1 -->\n') && !changed.includes('old'));
    assert.throws(() => withReports('nothing', records), /README\.md: expected the lines/);
  });
});
