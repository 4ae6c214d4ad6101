import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { memoryBuckets } from '../../sim/buckets';
import { directoryTrees } from '../../sim/directory-trees';
import { isWithin, memoryTrees, placeOf, type Tie, type Trees } from '../../sim/trees';
import { NOW } from '../support/builders';

const FS = 'fs-0000000000000000a';
const TIE: Tie = { fileSystemId: FS, path: '/scratch', repositoryPath: 's3://results/runs/r1/' };

/** Trees, and hands to put things there and to look. */
interface World {
  readonly trees: Trees;
  write(path: string, body: string): void;
  read(path: string): string | undefined;
  remove(path: string): void;
  put(key: string, body: string): void;
  get(key: string): string | undefined;
}

function inMemory(): World {
  const buckets = memoryBuckets();
  const trees = memoryTrees(buckets);
  return {
    trees,
    write: (path, body) => trees.write(FS, path, body, NOW),
    read: (path) => trees.read(FS, path),
    remove: (path) => trees.remove(FS, path),
    put: (key, body) => buckets.put('results', key, body),
    get: (key) => buckets.get('results', key),
  };
}

const homes: string[] = [];
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

function onDisk() {
  const home = mkdtempSync(join(tmpdir(), 'ebbtide-trees-'));
  homes.push(home);
  const root = join(home, 'file-systems', FS);
  const buckets = join(home, 'buckets');
  const rootOf = (id: string) => join(home, 'file-systems', id);
  const open = () => directoryTrees({ rootOf, buckets });
  const write = (file: string, body: string) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, body);
  };
  const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
  return {
    ...{ home, root, buckets, open, trees: open() },
    write: (path: string, body: string) => write(join(root, path), body),
    read: (path: string) => read(join(root, path)),
    remove: (path: string) => rmSync(join(root, path), { recursive: true }),
    put: (key: string, body: string) => write(join(buckets, 'results', key), body),
    get: (key: string) => read(join(buckets, 'results', key)),
  };
}

const pathsOf = async ({ trees }: { trees: Trees }, path = '/scratch') =>
  (await trees.changed(FS, path)).map((each) => each.path).sort();

describe.each([
  ['in memory', inMemory],
  ['on disk', onDisk],
])('trees %s', (_where, makeWorld: () => World) => {
  it('have a directory that was made', async () => {
    const { trees } = makeWorld();
    const before = await trees.has(FS, '/scratch');
    await trees.make(FS, '/scratch');
    expect([before, await trees.has(FS, '/scratch'), await pathsOf({ trees })]).toEqual([
      false,
      true,
      [],
    ]);
  });

  it('have what was written, and the directories it lies in', async () => {
    const { trees, write } = makeWorld();
    write('/scratch/a/b', 'x');
    const has = (path: string) => trees.has(FS, path);
    expect([await has('/scratch/a/b'), await has('/scratch/a'), await has('/scratch/b')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('know what is new, below a path only', async () => {
    const world = makeWorld();
    world.write('/scratch/a/b', 'x');
    world.write('/scratch/c', 'x');
    world.write('/scratchy', 'x');
    expect([
      await pathsOf(world),
      await pathsOf(world, '/scratch/a'),
      await pathsOf(world, '/scratch/c'),
    ]).toEqual([['/scratch/a/b', '/scratch/c'], ['/scratch/a/b'], ['/scratch/c']]);
  });

  it('bring a file to its key, with its directories', async () => {
    const { trees, write, get } = makeWorld();
    write('/scratch/a/b', 'x');
    const brought = await trees.bring(TIE, '/scratch/a/b');
    expect([brought, get('runs/r1/a/b')]).toEqual([{ kind: 'done' }, 'x']);
  });

  it('bring files from the root to the bucket’s own', async () => {
    const { trees, write, get } = makeWorld();
    write('/a', 'x');
    await trees.bring({ ...TIE, path: '/', repositoryPath: 's3://results/' }, '/a');
    expect(get('a')).toBe('x');
  });

  it.each(['a b', 'ü€😀', 'a\nb', '"quoted", \'too\'', '-rf', '*?[x]', '#%25', ' ', '...', '\\'])(
    'bring a file named %j',
    async (name) => {
      const world = makeWorld();
      world.write(`/scratch/${name}`, 'x');
      const paths = await pathsOf(world);
      await world.trees.bring(TIE, paths[0] ?? '');
      expect([paths, world.get(`runs/r1/${name}`)]).toEqual([[`/scratch/${name}`], 'x']);
    },
  );

  it('know nothing new of what was brought, until it changes', async () => {
    const world = makeWorld();
    world.write('/scratch/a', 'x');
    await world.trees.bring(TIE, '/scratch/a');
    const before = await pathsOf(world);
    world.write('/scratch/a', 'changed');
    expect([before, await pathsOf(world)]).toEqual([[], ['/scratch/a']]);
  });

  it('leave in S3 what was removed here', async () => {
    const world = makeWorld();
    world.write('/scratch/a', 'x');
    await world.trees.bring(TIE, '/scratch/a');
    world.remove('/scratch/a');
    expect([await pathsOf(world), world.get('runs/r1/a')]).toEqual([[], 'x']);
  });

  it('know what is gone of what was brought or fetched, below a path only', async () => {
    const world = makeWorld();
    world.put('runs/r1/in/c', 'from S3');
    for (const path of ['/scratch/a/b', '/scratch/d', '/scratch/never', '/scratch/stays']) {
      world.write(path, 'x');
      if (path !== '/scratch/never') await world.trees.bring(TIE, path);
    }
    await world.trees.fetch(TIE, 'in/c');
    for (const path of ['a/b', 'd', 'never', 'in/c']) world.remove(`/scratch/${path}`);
    expect([
      await world.trees.gone(FS, '/scratch'),
      await world.trees.gone(FS, '/scratch/a'),
      await world.trees.gone(FS, '/scr'),
    ]).toEqual([['/scratch/a/b', '/scratch/d', '/scratch/in/c'], ['/scratch/a/b'], []]);
  });

  it('erase the object of a file that is gone, once, and no other', async () => {
    const world = makeWorld();
    for (const name of ['a/b/c', 'a/d']) {
      world.write(`/scratch/${name}`, 'x');
      await world.trees.bring(TIE, `/scratch/${name}`);
    }
    world.remove('/scratch/a/b/c');
    const erased = await world.trees.erase(TIE, '/scratch/a/b/c');
    expect([erased, await world.trees.gone(FS, '/scratch')]).toEqual([{ kind: 'done' }, []]);
    expect([world.get('runs/r1/a/b/c'), world.get('runs/r1/a/d')]).toEqual([undefined, 'x']);
    world.put('runs/r1/a/b/c', 'a stranger’s');
    const again = await world.trees.erase(TIE, '/scratch/a/b/c');
    expect([again, world.get('runs/r1/a/b/c')]).toEqual([{ kind: 'vanished' }, 'a stranger’s']);
  });

  it('erase no object that is not from here', async () => {
    const world = makeWorld();
    world.put('runs/r1/a', 'a stranger’s');
    world.write('/scratch/a', 'x');
    await world.trees.fetch(TIE, 'a');
    world.remove('/scratch/a');
    const erased = await world.trees.erase(TIE, '/scratch/a');
    expect([erased, await world.trees.gone(FS, '/'), world.get('runs/r1/a')]).toEqual([
      { kind: 'vanished' },
      [],
      'a stranger’s',
    ]);
  });

  it('erase nothing of a file that is back', async () => {
    const world = makeWorld();
    world.write('/scratch/a', 'x');
    await world.trees.bring(TIE, '/scratch/a');
    world.remove('/scratch/a');
    world.write('/scratch/a', 'again');
    const erased = await world.trees.erase(TIE, '/scratch/a');
    expect([erased, await pathsOf(world), world.get('runs/r1/a')]).toEqual([
      { kind: 'vanished' },
      ['/scratch/a'],
      'x',
    ]);
  });

  it('erase nothing once a file system is dropped, whatever was gone before', async () => {
    const world = makeWorld();
    for (const name of ['a', 'b']) {
      world.write(`/scratch/${name}`, 'x');
      await world.trees.bring(TIE, `/scratch/${name}`);
    }
    world.remove('/scratch/a');
    const dropped = world.trees.drop(FS);
    const erased = ['/scratch/a', '/scratch/b'].map((path) => world.trees.erase(TIE, path));
    const kinds = (await Promise.all(erased)).map(({ kind }) => kind);
    await dropped;
    expect([kinds, await world.trees.gone(FS, '/')]).toEqual([['vanished', 'vanished'], []]);
    expect([world.get('runs/r1/a'), world.get('runs/r1/b')]).toEqual(['x', 'x']);
  });

  it('take a file that is gone for no failure', async () => {
    expect(await makeWorld().trees.bring(TIE, '/scratch/gone')).toEqual({ kind: 'vanished' });
  });

  it('fail on a key that S3 would not take', async () => {
    const { trees, write } = makeWorld();
    const path = `/scratch/${`${'x'.repeat(200)}/`.repeat(5)}${'x'.repeat(100)}`;
    write(path, 'x');
    expect(await trees.bring(TIE, path)).toEqual({ kind: 'failed', errorCode: 'PathSizeTooLong' });
  });

  it('list the objects of a place, and none where there is nothing', async () => {
    const { trees, put } = makeWorld();
    put('runs/r1/a/b', 'x');
    put('runs/r10/c', 'x');
    const nowhere = { ...TIE, repositoryPath: 's3://nowhere/' };
    expect([await trees.objects(TIE), await trees.objects(nowhere)]).toEqual([['a/b'], []]);
  });

  it('fetch an object, and have nothing new to bring then', async () => {
    const world = makeWorld();
    world.put('runs/r1/a/b', 'from S3');
    const fetched = await world.trees.fetch(TIE, 'a/b');
    expect([fetched, world.read('/scratch/a/b'), await pathsOf(world)]).toEqual([
      { kind: 'done' },
      'from S3',
      [],
    ]);
  });

  it('fetch nothing over a file that was written meanwhile', async () => {
    const world = makeWorld();
    world.put('runs/r1/a', 'from S3');
    world.write('/scratch/a', 'from the job');
    await world.trees.fetch(TIE, 'a');
    expect([world.read('/scratch/a'), await pathsOf(world)]).toEqual([
      'from the job',
      ['/scratch/a'],
    ]);
  });

  it('fetch a newer object over one that was fetched', async () => {
    const world = makeWorld();
    world.put('runs/r1/a', 'old');
    await world.trees.fetch(TIE, 'a');
    world.put('runs/r1/a', 'new');
    await world.trees.fetch(TIE, 'a');
    expect(world.read('/scratch/a')).toBe('new');
  });

  it('take an object that is gone for no failure', async () => {
    expect(await makeWorld().trees.fetch(TIE, 'gone')).toEqual({ kind: 'vanished' });
  });

  it('write an object', async () => {
    const { trees, get } = makeWorld();
    await trees.put('results', 'runs/r1/report/failures.csv', 'x');
    expect(get('runs/r1/report/failures.csv')).toBe('x');
  });

  it('drop a file system with all that was known of it', async () => {
    const world = makeWorld();
    world.write('/scratch/a', 'x');
    await world.trees.bring(TIE, '/scratch/a');
    await world.trees.drop(FS);
    expect([await world.trees.has(FS, '/scratch'), world.get('runs/r1/a')]).toEqual([false, 'x']);
  });
});

describe('trees on disk', () => {
  it('remember in a later process what was brought', async () => {
    const { open, trees, write } = onDisk();
    write('/scratch/a', 'x');
    write('/scratch/b', 'x');
    await trees.bring(TIE, '/scratch/a');
    expect(await pathsOf({ trees: open() })).toEqual(['/scratch/b']);
  });

  it('bring a file again where the note of it was torn off', async () => {
    const { open, trees, write, root } = onDisk();
    for (const name of ['a', 'b']) {
      write(`/scratch/${name}`, 'x');
      await trees.bring(TIE, `/scratch/${name}`);
    }
    const notes = `${root}.known.jsonl`;
    writeFileSync(notes, readFileSync(notes, 'utf8').slice(0, -5));
    const later = open();
    const torn = await pathsOf({ trees: later });
    await later.bring(TIE, '/scratch/b');
    expect([torn, await pathsOf({ trees: open() })]).toEqual([['/scratch/b'], []]);
  });

  it('remember in a later process what was erased', async () => {
    const { open, trees, write, remove, put, get } = onDisk();
    write('/scratch/a', 'x');
    await trees.bring(TIE, '/scratch/a');
    remove('/scratch/a');
    const missed = await open().gone(FS, '/scratch');
    await trees.erase(TIE, '/scratch/a');
    put('runs/r1/a', 'a stranger’s');
    const later = open();
    await later.erase(TIE, '/scratch/a');
    expect([missed, await later.gone(FS, '/scratch'), get('runs/r1/a')]).toEqual([
      ['/scratch/a'],
      [],
      'a stranger’s',
    ]);
  });

  it('remove the directories that an erased object leaves empty, but never the bucket', async () => {
    const { trees, write, remove, put, buckets } = onDisk();
    put('other', 'x');
    for (const path of ['/scratch/a/b/c', '/scratch/d']) {
      write(path, 'x');
      await trees.bring(TIE, path);
    }
    remove('/scratch/a');
    await trees.erase(TIE, '/scratch/a/b/c');
    const left = readdirSync(join(buckets, 'results', 'runs/r1'));
    rmSync(join(buckets, 'results', 'other'));
    remove('/scratch/d');
    await trees.erase(TIE, '/scratch/d');
    expect([left, readdirSync(join(buckets, 'results'))]).toEqual([['d'], []]);
  });

  it('miss a file where a link or a directory stands now, and one that a link leads to', async () => {
    const { trees, write, remove, root } = onDisk();
    for (const path of ['/scratch/a', '/scratch/b', '/scratch/c/d']) {
      write(path, 'x');
      await trees.bring(TIE, path);
    }
    for (const path of ['/scratch/a', '/scratch/b', '/scratch/c']) remove(path);
    write('/elsewhere/d', 'x');
    write('/scratch/b/e', 'x');
    symlinkSync(join(root, 'elsewhere/d'), join(root, 'scratch/a'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'scratch/c'));
    expect(await trees.gone(FS, '/scratch')).toEqual(['/scratch/a', '/scratch/b', '/scratch/c/d']);
  });

  it('miss no file of a root that is away itself', async () => {
    const { trees, write, get, root } = onDisk();
    write('/scratch/a', 'x');
    await trees.bring(TIE, '/scratch/a');
    rmSync(root, { recursive: true });
    const erased = await trees.erase(TIE, '/scratch/a');
    expect([await trees.gone(FS, '/'), erased, get('runs/r1/a')]).toEqual([
      [],
      { kind: 'vanished' },
      'x',
    ]);
  });

  it('see a change that left the size as it was', async () => {
    const world = onDisk();
    world.write('/scratch/a', 'x');
    await world.trees.bring(TIE, '/scratch/a');
    world.write('/scratch/a', 'y');
    utimesSync(join(world.root, 'scratch/a'), 1, 1);
    expect(await pathsOf(world)).toEqual(['/scratch/a']);
  });

  it('follow no links', async () => {
    const world = onDisk();
    world.write('/elsewhere/a', 'x');
    world.write('/scratch/b', 'x');
    symlinkSync(join(world.root, 'elsewhere'), join(world.root, 'scratch/directory'));
    symlinkSync(join(world.root, 'elsewhere/a'), join(world.root, 'scratch/file'));
    expect(await pathsOf(world)).toEqual(['/scratch/b']);
    expect(await world.trees.bring(TIE, '/scratch/file')).toEqual({ kind: 'vanished' });
  });

  it('tell of a name that can be no key', async () => {
    const world = onDisk();
    world.write('/scratch/b', 'x');
    const odd = Buffer.concat([
      Buffer.from(join(world.root, 'scratch/')),
      Buffer.from([0x61, 0xff]),
    ]);
    writeFileSync(odd, 'x');
    const changed = await world.trees.changed(FS, '/scratch');
    expect(changed.map(({ errorCode }) => errorCode).sort()).toEqual(['InternalError', undefined]);
  });

  it('fail on a file that the bucket has no place for, and leave nothing half-way', async () => {
    const { trees, write, put, buckets } = onDisk();
    put('runs/r1/a', 'x');
    write('/scratch/a/b', 'x');
    const brought = await trees.bring(TIE, '/scratch/a/b');
    expect([brought, readdirSync(join(buckets, '.incoming'))]).toEqual([
      { kind: 'failed', errorCode: 'InternalError' },
      [],
    ]);
  });

  it('put an object where an empty directory was left behind', async () => {
    const { trees, write, get, buckets } = onDisk();
    mkdirSync(join(buckets, 'results/runs/r1/a'), { recursive: true });
    write('/scratch/a', 'x');
    await trees.bring(TIE, '/scratch/a');
    expect(get('runs/r1/a')).toBe('x');
  });

  it('replace an object in one step', async () => {
    const { trees, write, put, buckets } = onDisk();
    put('runs/r1/a', 'old');
    const object = join(buckets, 'results/runs/r1/a');
    const before = statSync(object).ino;
    write('/scratch/a', 'new');
    await trees.bring(TIE, '/scratch/a');
    expect(statSync(object).ino).not.toBe(before);
  });

  it('leave nothing beside a file system that was dropped', async () => {
    const { trees, write, put, home } = onDisk();
    write('/scratch/a', 'x');
    put('runs/r1/b', 'x');
    await trees.bring(TIE, '/scratch/a');
    await trees.fetch(TIE, 'b');
    await trees.drop(FS);
    expect(readdirSync(join(home, 'file-systems'))).toEqual([]);
  });
});

describe('paths and places', () => {
  it.each([
    ['/scratch', '/scratch', true],
    ['/scratch/a', '/scratch', true],
    ['/scratchy', '/scratch', false],
    ['/a', '/', true],
    ['/', '/a', false],
  ])('%s within %s: %s', (path, directory, isIn) => {
    expect(isWithin(path, directory)).toBe(isIn);
  });

  it.each([
    ['s3://results/runs/r1/', 'results', 'runs/r1/'],
    ['s3://results/', 'results', ''],
  ])('%s is bucket %s and prefix %s', (place, bucket, prefix) => {
    expect(placeOf(place)).toEqual({ bucket, prefix });
  });
});
