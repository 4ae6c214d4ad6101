import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Envelope, S3ObjectCreated } from '../../events';
import type { Intake } from '../../handlers';
import { memoryBuckets } from '../../sim/buckets';
import { virtualClock } from '../../sim/clock';
import { folderIntake, memoryIntake, type WatchedObject, watchIntake } from '../../sim/intake';
import { compilePattern } from '../../sim/patterns';
import { seededRandom } from '../../sim/random';
import { advance, NOW } from '../support/builders';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ebbtide-intake-'));
  folders.push(folder);
  return folder;
}

/** Writes a file as it was some seconds after the beginning. */
function write(folder: string, name: string, text: string, seconds = 0): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  utimesSync(path, NOW / 1000 + seconds, NOW / 1000 + seconds);
}

function inMemory() {
  const buckets = memoryBuckets();
  const notified: Envelope[] = [];
  const intake = memoryIntake({
    buckets,
    clock: virtualClock(NOW),
    random: seededRandom(1),
    account: '000000000000',
    region: 'us-east-1',
    notify: (envelope) => void notified.push(envelope),
  });
  return { buckets, notified, intake };
}

const TWINS: readonly (readonly [string, () => { intake: Intake; put: Put; get: Get }])[] = [
  [
    'in memory',
    () => {
      const { buckets, intake } = inMemory();
      return {
        intake,
        put: (key, text) => buckets.put('intake', key, text),
        get: (key) => buckets.get('intake', key),
      };
    },
  ],
  [
    'in folders',
    () => {
      const folder = newFolder();
      return {
        intake: folderIntake(folder),
        put: (key, text) => write(join(folder, 'intake'), key, text),
        get: (key) => readFileSync(join(folder, 'intake', key), 'utf8'),
      };
    },
  ],
];
type Put = (key: string, text: string) => void;
type Get = (key: string) => string | undefined;

describe.each(TWINS)('an intake %s', (_where, make) => {
  const wanted = (key: string, charactersMax = 10) => ({ bucket: 'intake', key, charactersMax });

  it('reads an object of as many characters as it may have', async () => {
    const { intake, put } = make();
    put('requests/a b.json', '1234567äöü');
    expect(await intake.read(wanted('requests/a b.json'))).toBe('1234567äöü');
  });

  it('does not read one that has more', async () => {
    const { intake, put } = make();
    put('a', '12345678901');
    expect(await intake.read(wanted('a'))).toBeUndefined();
  });

  it.each(['none', 'deep/none', 'a'])('reads nothing where there is nothing: %s', async (key) => {
    const { intake, put } = make();
    put('a/b', 'x');
    expect(await intake.read(wanted(key))).toBeUndefined();
  });

  it('leaves an answer beside an object', async () => {
    const { intake, get } = make();
    await intake.answer({ bucket: 'intake', key: 'requests/a.json', text: 'one' });
    expect(get('requests/a.json.answer.json')).toBe('one');
  });

  it('leaves the newest answer', async () => {
    const { intake, get } = make();
    for (const text of ['one', 'two']) await intake.answer({ bucket: 'intake', key: 'a', text });
    expect(get('a.answer.json')).toBe('two');
  });
});

describe('an upload into memory', () => {
  it('is told of as S3 does', () => {
    const { intake, notified } = inMemory();
    intake.put('intake', 'in/a b+c.tar', 'äx');
    const [envelope] = notified;
    const [pattern] = S3ObjectCreated.patterns;
    expect(compilePattern(pattern)(envelope)).toBe(true);
    expect(envelope && S3ObjectCreated.parse(envelope).data).toEqual({
      bucket: 'intake',
      key: 'in/a b+c.tar',
      sequencer: expect.stringMatching(/^[0-9A-F]{16}$/),
    });
    expect(envelope?.detail).toMatchObject({ object: { size: 3 } });
  });

  it('has a later sequencer than any before, at the same time too', () => {
    const { intake, notified } = inMemory();
    for (const key of ['a', 'b', 'a']) intake.put('intake', key, 'x');
    const order = notified.map((envelope) => S3ObjectCreated.parse(envelope).data.sequencer);
    expect([order, new Set(order).size]).toEqual([[...order].sort(), 3]);
  });

  it('is told of where it is an answer too: S3 knows no difference', async () => {
    const { intake, notified } = inMemory();
    await intake.answer({ bucket: 'intake', key: 'a', text: 'x' });
    expect(notified.map((each) => S3ObjectCreated.parse(each).data.key)).toEqual(['a.answer.json']);
  });
});

describe('an intake of folders', () => {
  it.each(['../other/a', '../../a', 'a/../../other/a'])(
    'does not leave its bucket for the key %s',
    async (key) => {
      const folder = newFolder();
      write(folder, 'other/a', 'secret');
      const intake = folderIntake(folder);
      const wanted = { bucket: 'intake', key };
      await expect(intake.read({ ...wanted, charactersMax: 10 })).rejects.toThrow('leads out');
      await expect(intake.answer({ ...wanted, text: 'x' })).rejects.toThrow('leads out');
    },
  );

  it('does not take a path for a bucket', async () => {
    const intake = folderIntake(newFolder());
    const wanted = { bucket: '../x', key: 'a', charactersMax: 10 };
    await expect(intake.read(wanted)).rejects.toThrow('leads out');
  });

  it('does not follow a link', async () => {
    const folder = newFolder();
    write(folder, 'outside', 'secret');
    mkdirSync(join(folder, 'intake'));
    symlinkSync(join(folder, 'outside'), join(folder, 'intake', 'a'));
    const wanted = { bucket: 'intake', key: 'a', charactersMax: 10 };
    expect(await folderIntake(folder).read(wanted)).toBeUndefined();
  });

  it('leaves nothing but the answer', async () => {
    const folder = newFolder();
    await folderIntake(folder).answer({ bucket: 'intake', key: 'a', text: 'x' });
    expect(readdirSync(join(folder, 'intake'))).toEqual(['a.answer.json']);
  });
});

describe('a watched folder', () => {
  const EVERY_MS = 500;
  function watching(folder: string) {
    const clock = virtualClock(NOW);
    const told: WatchedObject[] = [];
    const onObject = (object: WatchedObject) => void told.push(object);
    const stop = watchIntake({ folder, clock, everyMs: EVERY_MS, onObject });
    const polls = async (count: number) => {
      for (let index = 0; index < count; index += 1) await advance(clock, EVERY_MS);
    };
    return { told, keys: () => told.map(({ key }) => key), stop, polls };
  }

  it('tells of a new file once it has stopped growing', async () => {
    const folder = newFolder();
    const { keys, polls } = watching(folder);
    write(folder, 'requests/a b.json', '{}');
    await polls(1);
    const early = keys();
    await polls(1);
    expect([early, keys()]).toEqual([[], ['requests/a b.json']]);
  });

  it('tells of it once', async () => {
    const folder = newFolder();
    const { keys, polls } = watching(folder);
    write(folder, 'a', '{}');
    await polls(10);
    expect(keys()).toEqual(['a']);
  });

  it('waits while a file grows', async () => {
    const folder = newFolder();
    const { keys, polls } = watching(folder);
    write(folder, 'a', '{');
    for (let index = 0; index < 5; index += 1) {
      await polls(1);
      appendFileSync(join(folder, 'a'), ' ');
    }
    const early = keys();
    await polls(2);
    expect([early, keys()]).toEqual([[], ['a']]);
  });

  it('tells again of a file that was written anew, as of another upload', async () => {
    const folder = newFolder();
    const { told, polls } = watching(folder);
    write(folder, 'a', '{}', 1);
    await polls(3);
    write(folder, 'a', '[]', 2);
    await polls(3);
    const [one, other] = told.map(({ sequencer }) => sequencer);
    expect([told.length, `${one}` < `${other}`]).toEqual([2, true]);
  });

  it('tells again of a file that was gone', async () => {
    const folder = newFolder();
    const { keys, polls } = watching(folder);
    write(folder, 'a', '{}');
    await polls(3);
    rmSync(join(folder, 'a'));
    await polls(1);
    write(folder, 'a', '{}');
    await polls(3);
    expect(keys()).toEqual(['a', 'a']);
  });

  it.each([
    'a.answer.json',
    'requests/a.json.answer.json',
    'a.answer.json.draft',
    '.DS_Store',
    'requests/.a.json.swp',
    '.hidden/a',
  ])('is silent about %s', async (name) => {
    const folder = newFolder();
    const { keys, polls } = watching(folder);
    write(folder, name, '{}');
    await polls(3);
    expect(keys()).toEqual([]);
  });

  it('tells of what was there before and has no answer', async () => {
    const folder = newFolder();
    write(folder, 'new', '{}');
    write(folder, 'old', '{}');
    write(folder, 'old.answer.json', '{}');
    const { keys, polls } = watching(folder);
    await polls(3);
    expect(keys()).toEqual(['new']);
  });

  it('tells of what was answered before and is written anew', async () => {
    const folder = newFolder();
    write(folder, 'old', '{}');
    write(folder, 'old.answer.json', '{}');
    const { keys, polls } = watching(folder);
    write(folder, 'old', '{}', 5);
    await polls(3);
    expect(keys()).toEqual(['old']);
  });

  it('tells in two sessions of the same file as of the same upload', async () => {
    const folder = newFolder();
    write(folder, 'a', '{}', 7);
    const sessions = [watching(folder), watching(folder)];
    for (const { polls } of sessions) await polls(2);
    const [one, other] = sessions.map(({ told }) => told);
    expect([one?.length, one]).toEqual([1, other]);
  });

  it('may not be there yet', async () => {
    const folder = join(newFolder(), 'intake');
    const { keys, polls } = watching(folder);
    await polls(1);
    write(folder, 'a', '{}');
    await polls(2);
    expect(keys()).toEqual(['a']);
  });

  it('is watched no longer when told to', async () => {
    const folder = newFolder();
    const { keys, stop, polls } = watching(folder);
    await polls(1);
    stop();
    write(folder, 'a', '{}');
    await polls(5);
    expect(keys()).toEqual([]);
  });
});
