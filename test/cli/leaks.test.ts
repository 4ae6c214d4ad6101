import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../events';
import { ebb, onlyRun, runsOf, tempHome } from '../support/cli';

const FAST = ['--speed', '2000'] as const;
const HOUR_MS = 3_600_000;
let home: ReturnType<typeof tempHome>;

beforeEach(() => {
  home = tempHome();
});
afterEach(() => home.remove());

function local(command: string, ...words: readonly string[]) {
  return ebb(home.path, 'local', command, ...words);
}

const LEAKED = 'vol-0aaaaaaaaaaaaaaaa';

function folderOf(volumeId: string): string {
  return join(home.path, 'volumes', volumeId);
}

/** A volume as a real run left it, of another id and run, made two hours ago. */
function plant({ storage }: Run, runId: string, changes: object = {}): void {
  cpSync(folderOf(storage.id ?? ''), folderOf(LEAKED), { recursive: true });
  const path = join(folderOf(LEAKED), 'volume.json');
  const note = JSON.parse(readFileSync(path, 'utf8'));
  const createdAt = new Date(Date.now() - 2 * HOUR_MS).toISOString();
  const planted = { ...note, volumeId: LEAKED, runId, createdAt, ...changes };
  writeFileSync(path, JSON.stringify(planted));
}

async function retainedRun(): Promise<Run> {
  await local('run', ...FAST, '--command', 'echo precious > data; exit 3');
  return onlyRun(home.path);
}

/** A volume of a run that is over and has given its own back. */
async function plantLeaked(): Promise<void> {
  const run = await retainedRun();
  const createdAt = new Date(Date.now() - 2.75 * HOUR_MS).toISOString();
  plant(run, run.id, { createdAt });
  const away = join(home.path, '..', 'away');
  cpSync(folderOf(LEAKED), away, { recursive: true });
  await local('release', run.id, '--discard', ...FAST);
  mkdirSync(folderOf(LEAKED), { recursive: true });
  cpSync(away, folderOf(LEAKED), { recursive: true });
  age(join('runs', `${run.id}.jsonl`));
}

/** As if it had been three hours ago: all times in a file of the local cloud. */
function age(file: string): void {
  const path = join(home.path, file);
  const earlier = (time: string) => new Date(Date.parse(time) - 3 * HOUR_MS).toISOString();
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, earlier));
}

function ageSightings(): void {
  expect(readFileSync(join(home.path, 'sightings.json'), 'utf8')).toContain(LEAKED);
  age('sightings.json');
}

describe('storage of a run that nobody knows', () => {
  it('is in quarantine: told of with its price, and deleted by nothing', async () => {
    plant(await retainedRun(), 'nobody');
    const { code, out } = await local('leaks');
    expect(code).toBe(1);
    expect(out).toMatch(new RegExp(`^${LEAKED}  quarantined  2h00m old, \\$0\\.089/h on AWS`, 'm'));
    expect(out).toContain('the table has no run "nobody", which its tag names');
    expect(out).toMatch(/^ALARM: 1 of 2 in quarantine/m);
    const acted = await local('leaks', '--act', '--json');
    expect(acted.code).toBe(1);
    expect(JSON.parse(acted.out).items).toMatchObject([{ finding: 'quarantined', action: 'none' }]);
    await local('list');
    await local('run', ...FAST, '--command', 'true');
    expect(readFileSync(join(folderOf(LEAKED), 'data', 'data'), 'utf8')).toBe('precious\n');
  });
});

describe('storage that its owner keeps', () => {
  it('is no leak, however old, and deleted by nothing', async () => {
    plant(await retainedRun(), 'nobody', { isKept: true });
    const { code, out } = await local('leaks', '--act');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'All storage is accounted for: 2 seen.',
    });
    expect(existsSync(folderOf(LEAKED))).toBe(true);
  });
});

describe('storage of a run that is over and has given it back', () => {
  it('is told of as a leak by who only looks, and stays', async () => {
    await plantLeaked();
    const { code, out } = await local('leaks');
    expect(out).toMatch(new RegExp(`^${LEAKED}  leaked, waiting`, 'm'));
    expect(out).toContain('Not accounted for: 1 of 1');
    expect(code).toBe(0);
    expect(existsSync(folderOf(LEAKED))).toBe(true);
  });

  it('is deleted when it was leaked an hour ago already', async () => {
    await plantLeaked();
    await local('leaks');
    ageSightings();
    expect((await local('leaks')).out).toContain('due to be deleted');
    const { code, out } = await local('leaks', '--act');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^${LEAKED}  leaked, deleted`)),
    ]);
    expect(existsSync(folderOf(LEAKED))).toBe(false);
    expect(runsOf(home.path)).toMatchObject([{ status: 'failed' }]);
  });
});

describe('a look for leaks', () => {
  it('finds nothing wrong with what a run has retained', async () => {
    await retainedRun();
    const { code, out } = await local('leaks');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'All storage is accounted for: 1 seen.',
    });
  });

  it('finds nothing wrong with a place where nothing ever was', async () => {
    const { code, out } = await local('leaks');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'No storage is there.',
    });
    expect(existsSync(home.path)).toBe(false);
  });
});
