import type {
  CreateAssociationInput,
  CreateFileSystemInput,
  CreateTaskInput,
} from '../../handlers/aws/fsx-api';
import { memoryBuckets } from '../../sim/buckets';
import { virtualClock } from '../../sim/clock';
import { type FsxParts, type LocalFileSystem, localFsx } from '../../sim/fsx';
import { seededRandom } from '../../sim/random';
import { memoryTrees } from '../../sim/trees';
import { advance, NOW } from '../support/builders';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const fileSystem = (changes: Partial<CreateFileSystemInput> = {}): CreateFileSystemInput => ({
  ClientRequestToken: 'r1.storage.1',
  FileSystemType: 'LUSTRE',
  FileSystemTypeVersion: '2.15',
  StorageCapacity: 1200,
  SubnetIds: ['subnet-00000001'],
  LustreConfiguration: { DeploymentType: 'SCRATCH_2' },
  ...changes,
});
const association = (
  FileSystemId: string,
  changes: Partial<CreateAssociationInput> = {},
): CreateAssociationInput => ({
  FileSystemId,
  FileSystemPath: '/scratch',
  DataRepositoryPath: 's3://results/runs/r1',
  ...changes,
});
const task = (FileSystemId: string, changes: Partial<CreateTaskInput> = {}): CreateTaskInput => ({
  Type: 'EXPORT_TO_REPOSITORY',
  FileSystemId,
  Paths: ['scratch'],
  Report: {
    ...{ Enabled: true, Format: 'REPORT_CSV_20191124', Scope: 'FAILED_FILES_ONLY' },
    Path: 's3://results/runs/r1/_reports',
  },
  ...changes,
});
const EXPORTS = { S3: { AutoExportPolicy: { Events: ['NEW', 'CHANGED'] } } } as const;
const MIRRORS = { S3: { AutoExportPolicy: { Events: ['NEW', 'CHANGED', 'DELETED'] } } } as const;
const STRANGER = 'fs-0fffffffffffffff0';

/** An FSx of the simulator, with its files. */
function world(parts: Partial<FsxParts> = {}) {
  const clock = virtualClock(NOW);
  const buckets = memoryBuckets();
  const trees = memoryTrees(buckets);
  const given = { clock, trees, random: seededRandom(1), account: '000000000000' };
  const fsx = localFsx({ ...given, region: 'us-east-1', ...parts });
  const pass = (ms: number) => advance(clock, ms);
  const make = async (changes: Partial<CreateFileSystemInput> = {}) =>
    (await fsx.createFileSystem(fileSystem(changes))).FileSystem?.FileSystemId ?? '';
  const available = async (changes: Partial<CreateFileSystemInput> = {}) => {
    const id = await make(changes);
    await pass(12 * MINUTE);
    return id;
  };
  const link = async (id: string, changes: Partial<CreateAssociationInput> = {}) => {
    const made = await fsx.createDataRepositoryAssociation(association(id, changes));
    return made.Association?.AssociationId ?? '';
  };
  const tied = async (changes: Partial<CreateAssociationInput> = {}) => {
    const id = await available();
    await link(id, changes);
    await pass(5 * MINUTE);
    return id;
  };
  const start = async (id: string, changes: Partial<CreateTaskInput> = {}) =>
    (await fsx.createDataRepositoryTask(task(id, changes))).DataRepositoryTask?.TaskId ?? '';
  const tasks = async () => (await fsx.describeDataRepositoryTasks({})).DataRepositoryTasks ?? [];
  const lifecycles = (id: string) => fsx.get(id)?.associations.map(({ lifecycle }) => lifecycle);
  const write = (id: string, path: string, body = 'x') => trees.write(id, path, body, clock.now());
  const keys = () => buckets.list('results', '');
  const ends = async (id: string, changes: Partial<CreateTaskInput> = {}) => {
    await start(id, changes);
    await pass(2 * MINUTE);
    return (await tasks()).at(-1);
  };
  const files = { buckets, trees, write, keys };
  return {
    clock,
    fsx,
    pass,
    make,
    available,
    link,
    tied,
    start,
    tasks,
    lifecycles,
    ends,
    ...files,
  };
}

describe('FSx makes a file system', () => {
  it('within five to twelve minutes', async () => {
    const { fsx, make, pass } = world();
    const id = await make();
    await pass(5 * MINUTE - 1);
    const before = fsx.get(id)?.lifecycle;
    await pass(7 * MINUTE + 1);
    expect([before, fsx.get(id)?.lifecycle]).toEqual(['CREATING', 'AVAILABLE']);
  });

  it('with version 2.10 where none is named', async () => {
    const { fsx, make } = world();
    await make({ FileSystemTypeVersion: undefined });
    expect((await fsx.describeFileSystems({})).FileSystems).toMatchObject([
      { FileSystemTypeVersion: '2.10' },
    ]);
  });

  it.each([
    ['BadRequest', { StorageCapacity: 3600 }],
    ['BadRequest', { StorageCapacity: undefined }],
    ['BadRequest', { FileSystemTypeVersion: '2.11' }],
    ['MissingFileSystemConfiguration', { LustreConfiguration: undefined }],
    ['InvalidNetworkSettings', { SubnetIds: [] }],
    ['ValidationException', { SubnetIds: ['somewhere'] }],
    ['ValidationException', { ClientRequestToken: 'a/b' }],
    ['ValidationException', { ClientRequestToken: 'x'.repeat(64) }],
    ['ValidationException', { Tags: [{ Key: 'a', Value: 'é#' }] }],
    [
      'ValidationException',
      { Tags: Array.from({ length: 51 }, (_, n) => ({ Key: `${n}`, Value: '' })) },
    ],
  ])('but answers %s to %j', async (name, changes) => {
    await expect(world().make(changes)).rejects.toMatchObject({ name });
  });

  it('but no more than the quota allows', async () => {
    const { make } = world({ quota: { fileSystems: 2, gib: 3000 } });
    await make();
    const refused = expect(make({ ClientRequestToken: 'b', StorageCapacity: 2400 }));
    await refused.rejects.toMatchObject({ name: 'ServiceLimitExceeded' });
    await make({ ClientRequestToken: 'c' });
    const full = expect(make({ ClientRequestToken: 'd', StorageCapacity: 1200 }));
    await full.rejects.toMatchObject({ name: 'ServiceLimitExceeded' });
  });

  it('and refuses its token for anything else', async () => {
    const { make } = world();
    await make();
    const other = expect(make({ StorageCapacity: 2400 }));
    await other.rejects.toMatchObject({ name: 'IncompatibleParameterError' });
  });

  it('and shows it by its token, whatever a test refuses by then', async () => {
    let isFull = false;
    const full = { name: 'ServiceLimitExceeded', message: 'full' };
    const { make } = world({ refuse: () => (isFull ? full : undefined) });
    const first = await make();
    isFull = true;
    expect(await make()).toBe(first);
  });

  it('that may never come up, or fail', async () => {
    const fates = [{ kind: 'never' } as const, { kind: 'fails', message: 'no capacity' } as const];
    const { fsx, make, pass } = world({ fate: { fileSystem: () => fates.shift() } });
    const ids = [await make(), await make({ ClientRequestToken: 'b' })];
    await pass(60 * MINUTE);
    expect(ids.map((id) => fsx.get(id))).toMatchObject([
      { lifecycle: 'CREATING' },
      { lifecycle: 'FAILED', failure: 'no capacity' },
    ]);
  });

  it('that a host can mount when it is available, and only then', async () => {
    const { fsx, make, pass } = world();
    const id = await make();
    const before = fsx.mount(id);
    await pass(12 * MINUTE);
    expect([before, fsx.mount(id), fsx.mount(STRANGER)]).toEqual([
      { ok: false, reason: `file system ${id} is CREATING` },
      { ok: true },
      { ok: false, reason: `file system ${STRANGER} does not exist` },
    ]);
  });
});

describe('FSx describes', () => {
  it('nothing at all where one id is unknown', async () => {
    const { fsx, make } = world();
    const FileSystemIds = [await make(), STRANGER];
    const asked = expect(fsx.describeFileSystems({ FileSystemIds }));
    await asked.rejects.toMatchObject({ name: 'FileSystemNotFound' });
  });

  it('no more than fifty ids at a time', async () => {
    const FileSystemIds = Array.from({ length: 51 }, () => STRANGER);
    const asked = expect(world().fsx.describeFileSystems({ FileSystemIds }));
    await asked.rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('the associations and tasks that a filter lets through', async () => {
    const { fsx, tied, make, link, start, pass } = world();
    const id = await tied();
    const other = await make({ ClientRequestToken: 'b' });
    await link(other, { DataRepositoryPath: 's3://elsewhere/' });
    await start(id);
    await pass(2 * MINUTE);
    await start(id);
    const of = (Name: 'file-system-id' | 'task-lifecycle', value: string) => [
      { Name, Values: [value] },
    ];
    const tasks = async (Filters: ReturnType<typeof of>) =>
      (await fsx.describeDataRepositoryTasks({ Filters })).DataRepositoryTasks?.length;
    const Filters = [{ Name: 'file-system-id' as const, Values: [other] }];
    const { Associations } = await fsx.describeDataRepositoryAssociations({ Filters });
    expect([
      Associations?.map(({ FileSystemId }) => FileSystemId),
      await tasks(of('file-system-id', id)),
      await tasks(of('file-system-id', other)),
      await tasks(of('task-lifecycle', 'SUCCEEDED')),
    ]).toEqual([[other], 2, 0, 1]);
  });

  it('a page at a time', async () => {
    const { fsx, make } = world({ pageSize: 2 });
    for (const ClientRequestToken of ['a', 'b', 'c']) await make({ ClientRequestToken });
    const first = await fsx.describeFileSystems({});
    const second = await fsx.describeFileSystems({ NextToken: first.NextToken });
    expect([first.FileSystems?.length, second.FileSystems?.length, second.NextToken]).toEqual([
      2,
      1,
      undefined,
    ]);
  });
});

describe('FSx deletes a file system', () => {
  it('in some minutes, after which it is not found', async () => {
    const { fsx, available, pass } = world();
    const FileSystemId = await available();
    const answer = await fsx.deleteFileSystem({ FileSystemId });
    await pass(2 * MINUTE - 1);
    const before = fsx.get(FileSystemId)?.lifecycle;
    await pass(4 * MINUTE + 1);
    expect([answer.Lifecycle, before]).toEqual(['DELETING', 'DELETING']);
    const again = expect(fsx.deleteFileSystem({ FileSystemId }));
    await again.rejects.toMatchObject({ name: 'FileSystemNotFound' });
  });

  it('but not while it is created', async () => {
    const { fsx, make } = world();
    const asked = expect(fsx.deleteFileSystem({ FileSystemId: await make() }));
    await asked.rejects.toMatchObject({ name: 'BadRequest' });
  });

  it.each([
    ['PENDING', 1],
    ['EXECUTING', 31 * SECOND],
  ])('but not while a task is %s', async (lifecycle, ms) => {
    const fate = { task: () => ({ kind: 'sticks', in: 'EXECUTING' }) as const };
    const { fsx, tied, start, tasks, pass } = world({ fate });
    const FileSystemId = await tied();
    await start(FileSystemId);
    await pass(ms);
    const asked = expect(fsx.deleteFileSystem({ FileSystemId }));
    await asked.rejects.toMatchObject({ name: 'BadRequest' });
    expect(await tasks()).toMatchObject([{ Lifecycle: lifecycle }]);
  });

  it('with all its files', async () => {
    const { fsx, available, write, trees, pass } = world();
    const FileSystemId = await available();
    write(FileSystemId, '/scratch/a');
    await fsx.deleteFileSystem({ FileSystemId });
    await pass(6 * MINUTE);
    expect(trees.list(FileSystemId, '/')).toEqual([]);
  });
});

describe('FSx makes an association', () => {
  it('after the file system is available, one at a time', async () => {
    const { make, link, lifecycles, pass, fsx } = world();
    const id = await make();
    await link(id);
    await link(id, { FileSystemPath: '/input', DataRepositoryPath: 's3://inputs/' });
    const seen = new Set<string>();
    for (let seconds = 0; seconds < 25 * 60; seconds += 5) {
      seen.add([fsx.get(id)?.lifecycle, ...(lifecycles(id) ?? [])].join(' '));
      await pass(5 * SECOND);
    }
    expect([...seen]).toEqual([
      'CREATING CREATING CREATING',
      'AVAILABLE CREATING CREATING',
      'AVAILABLE AVAILABLE CREATING',
      'AVAILABLE AVAILABLE AVAILABLE',
    ]);
  });

  it('but none on version 2.10', async () => {
    const { make, link } = world();
    const asked = expect(link(await make({ FileSystemTypeVersion: '2.10' })));
    await asked.rejects.toMatchObject({
      name: 'BadRequest',
      message: expect.stringContaining('2.12'),
    });
  });

  it.each([
    ['BadRequest', { FileSystemPath: 'input', DataRepositoryPath: 's3://inputs/' }],
    ['BadRequest', { FileSystemPath: '/scratch/a', DataRepositoryPath: 's3://inputs/' }],
    ['BadRequest', { FileSystemPath: '/', DataRepositoryPath: 's3://inputs/' }],
    ['BadRequest', { FileSystemPath: '/input', DataRepositoryPath: 's3://results/runs/r1/in' }],
    ['BadRequest', { FileSystemPath: '/input', DataRepositoryPath: 's3://results/' }],
    ['BadRequest', { FileSystemPath: '/input', DataRepositoryPath: 'inputs/' }],
    ['ValidationException', { FileSystemPath: '/a\nb', DataRepositoryPath: 's3://inputs/' }],
    [
      'ValidationException',
      {
        FileSystemPath: '/input',
        DataRepositoryPath: 's3://inputs/',
        ImportedFileChunkSize: 512_001,
      },
    ],
    ['FileSystemNotFound', { FileSystemId: STRANGER }],
  ])('but answers %s to %j', async (name, changes) => {
    const { make, link } = world();
    const id = await make();
    await link(id);
    await expect(link(id, changes)).rejects.toMatchObject({ name });
  });

  it.each([
    ['/scratch2', 's3://results/runs/r10'],
    ['/scratch-a', 's3://results2/runs/r1'],
  ])(
    'beside one whose names only begin alike (%s, %s)',
    async (FileSystemPath, DataRepositoryPath) => {
      const { make, link } = world();
      const id = await make();
      await link(id);
      expect(await link(id, { FileSystemPath, DataRepositoryPath })).toMatch(/^dra-/);
    },
  );

  it('up to the eighth', async () => {
    const { make, link } = world();
    const id = await make();
    const nth = (n: number) =>
      link(id, { FileSystemPath: `/${n}`, DataRepositoryPath: `s3://bucket-${n}/` });
    for (let n = 1; n <= 8; n += 1) await nth(n);
    await expect(nth(9)).rejects.toMatchObject({ name: 'BadRequest' });
  });

  it('and imports what its place holds, where that was asked for', async () => {
    const { tied, tasks, pass, buckets, trees } = world();
    buckets.put('results', 'runs/r1/a/b', 'from S3');
    buckets.put('results', 'runs/r2/c', 'not ours');
    const id = await tied({ BatchImportMetaDataOnCreate: true });
    await pass(2 * MINUTE);
    expect([trees.list(id, '/'), trees.read(id, '/scratch/a/b')]).toEqual([
      ['/scratch/a/b'],
      'from S3',
    ]);
    expect(await tasks()).toMatchObject([
      { Type: 'IMPORT_METADATA_FROM_REPOSITORY', Lifecycle: 'SUCCEEDED', FileSystemId: id },
    ]);
  });

  it('and has nothing to export of what it imported', async () => {
    const { tied, ends, pass, buckets } = world();
    buckets.put('results', 'runs/r1/a', 'from S3');
    const id = await tied({ BatchImportMetaDataOnCreate: true });
    await pass(2 * MINUTE);
    expect((await ends(id))?.Status).toMatchObject({ TotalCount: 0 });
  });

  it('that may fail, or be misconfigured for a while', async () => {
    const fates = [
      { kind: 'fails', message: 'no such bucket' } as const,
      { kind: 'misconfigured', message: 'access denied', healsAfterMs: 10 * MINUTE } as const,
    ];
    const { available, link, pass, fsx } = world({ fate: { association: () => fates.shift() } });
    const id = await available();
    await link(id);
    await link(id, { FileSystemPath: '/input', DataRepositoryPath: 's3://inputs/' });
    await pass(10 * MINUTE);
    const before = fsx.get(id)?.associations;
    await pass(10 * MINUTE);
    expect([before, fsx.get(id)?.associations[1]?.lifecycle]).toMatchObject([
      [
        { lifecycle: 'FAILED', failure: 'no such bucket' },
        { lifecycle: 'MISCONFIGURED', failure: 'access denied' },
      ],
      'AVAILABLE',
    ]);
  });
});

describe('FSx updates an association', () => {
  const updated = async (S3: object) => {
    const { tied, fsx, pass } = world();
    const id = await tied(EXPORTS as object);
    const AssociationId = fsx.get(id)?.associations[0]?.associationId ?? '';
    await fsx.updateDataRepositoryAssociation({ AssociationId, S3 });
    const during = fsx.get(id)?.associations[0];
    await pass(2 * MINUTE);
    const after = fsx.get(id)?.associations[0];
    return [during, after].map((each) => `${each?.lifecycle} ${each?.exportEvents.join()}`);
  };

  it('over some time, in which the old policy holds', async () => {
    const policy = { AutoExportPolicy: { Events: [] } };
    expect(await updated(policy)).toEqual(['UPDATING NEW,CHANGED', 'AVAILABLE ']);
  });

  it('and leaves a policy alone that it does not name', async () => {
    expect(await updated({})).toEqual(['UPDATING NEW,CHANGED', 'AVAILABLE NEW,CHANGED']);
  });

  it('but not while it is updating', async () => {
    const { tied, fsx } = world();
    const AssociationId = fsx.get(await tied())?.associations[0]?.associationId ?? '';
    await fsx.updateDataRepositoryAssociation({ AssociationId });
    const again = expect(fsx.updateDataRepositoryAssociation({ AssociationId }));
    await again.rejects.toMatchObject({ name: 'BadRequest' });
  });

  it('only where there is one', async () => {
    const AssociationId = 'dra-0fffffffffffffff0';
    const asked = expect(world().fsx.updateDataRepositoryAssociation({ AssociationId }));
    await asked.rejects.toMatchObject({ name: 'DataRepositoryAssociationNotFound' });
  });
});

describe('FSx exports by a task', () => {
  it('that is pending, executing, then over', async () => {
    const { tied, start, tasks, pass } = world();
    const id = await tied();
    await start(id);
    const seen = new Set<string>();
    for (let seconds = 0; seconds < 90; seconds += 1) {
      const [shown] = await tasks();
      seen.add(`${shown?.Lifecycle} ${shown?.Status ? 'counted' : ''}`);
      await pass(SECOND);
    }
    expect([...seen]).toEqual(['PENDING ', 'EXECUTING ', 'SUCCEEDED counted']);
  });

  it('what is new and changed since the last one, and no deletion', async () => {
    const { tied, ends, write, trees, keys, buckets } = world();
    const id = await tied();
    for (const name of ['a', 'b', 'c']) write(id, `/scratch/${name}`);
    const first = await ends(id);
    write(id, '/scratch/a', 'changed');
    trees.remove(id, '/scratch/b');
    const second = await ends(id);
    expect([first?.Status?.TotalCount, second?.Status?.TotalCount]).toEqual([3, 1]);
    expect([keys(), buckets.get('results', 'runs/r1/a')]).toEqual([
      ['runs/r1/a', 'runs/r1/b', 'runs/r1/c'],
      'changed',
    ]);
  });

  it('only what lies below its paths', async () => {
    const { tied, ends, write, keys } = world();
    const id = await tied();
    write(id, '/scratch/out/a');
    write(id, '/scratch/output');
    await ends(id, { Paths: ['scratch/out'] });
    expect(keys()).toEqual(['runs/r1/out/a']);
  });

  it('nothing of another association', async () => {
    const { tied, link, ends, write, keys, pass } = world();
    const id = await tied();
    await link(id, { FileSystemPath: '/input', DataRepositoryPath: 's3://results/inputs/' });
    await pass(5 * MINUTE);
    write(id, '/input/a');
    await ends(id);
    expect(keys()).toEqual([]);
  });

  it('and passes over what is tied to nothing', async () => {
    const { tied, ends, write, keys } = world();
    const id = await tied();
    write(id, '/elsewhere/a');
    write(id, '/scratch/b');
    const over = await ends(id, { Paths: undefined });
    expect([over?.Lifecycle, over?.Status?.TotalCount, keys()]).toEqual([
      'SUCCEEDED',
      1,
      ['runs/r1/b'],
    ]);
  });

  it('and fails on a path that is not there', async () => {
    const { tied, ends } = world();
    const over = await ends(await tied(), { Paths: ['scratch', 'nowhere'] });
    expect([over?.Lifecycle, over?.FailureDetails?.Message]).toEqual([
      'FAILED',
      expect.stringContaining('/nowhere'),
    ]);
  });

  it('and fails with a report where a file could not be brought', async () => {
    const file = (_id: string, path: string) => (path.includes('"') ? 'S3AccessDenied' : undefined);
    const { tied, ends, write, buckets, keys } = world({ fate: { file } });
    const id = await tied();
    write(id, '/scratch/a');
    write(id, '/scratch/"b",c');
    const over = await ends(id);
    const report = `runs/r1/_reports/${over?.TaskId}/failures.csv`;
    expect([over?.Lifecycle, over?.Status]).toMatchObject([
      'FAILED',
      { TotalCount: 2, SucceededCount: 1, FailedCount: 1 },
    ]);
    expect([keys(), buckets.get('results', report)]).toEqual([
      ['runs/r1/a', report],
      'FilePath,FileStatus,ErrorCode\n"/scratch/""b"",c",FAILED,S3AccessDenied\n',
    ]);
  });

  it('and counts every thirty seconds where it takes longer', async () => {
    const { tied, start, tasks, write, pass } = world();
    const id = await tied();
    for (let n = 0; n < 13_000; n += 1) write(id, `/scratch/${n}`);
    await start(id);
    const counts = new Map<number | undefined, number>();
    for (let seconds = 0; seconds < 150; seconds += 1) {
      const count = (await tasks())[0]?.Status?.SucceededCount;
      if (!counts.has(count)) counts.set(count, seconds);
      await pass(SECOND);
    }
    const [, first = 0, second = 0, third = 0] = [...counts.values()];
    expect([[...counts.keys()], second - first, third - second]).toEqual([
      [undefined, 6000, 12_000, 13_000],
      30,
      30,
    ]);
  });

  it('one at a time', async () => {
    const { tied, start } = world();
    const id = await tied();
    await start(id);
    await expect(start(id)).rejects.toMatchObject({ name: 'DataRepositoryTaskExecuting' });
  });

  it('not while an import runs', async () => {
    const { tied, start } = world({ fate: { task: () => ({ kind: 'sticks', in: 'EXECUTING' }) } });
    const id = await tied({ BatchImportMetaDataOnCreate: true });
    await expect(start(id)).rejects.toMatchObject({ name: 'DataRepositoryTaskExecuting' });
  });

  it('once per token, and refuses the token for another path', async () => {
    const { tied, start } = world();
    const id = await tied();
    const ClientRequestToken = 'r1.export.1';
    const first = await start(id, { ClientRequestToken });
    expect(await start(id, { ClientRequestToken })).toBe(first);
    const other = expect(start(id, { ClientRequestToken, Paths: ['scratch/a'] }));
    await other.rejects.toMatchObject({ name: 'IncompatibleParameterError' });
  });

  it.each([
    ['BadRequest', { Paths: ['/scratch'] }],
    ['BadRequest', { Paths: Array.from({ length: 33 }, (_, n) => `${n}`) }],
    ['BadRequest', { Report: { Enabled: true, Path: 's3://results/runs/r1/x' } }],
    ['BadRequest', { Report: { ...task('').Report, Path: 's3://elsewhere/x' } }],
    ['FileSystemNotFound', { FileSystemId: STRANGER }],
  ])('but answers %s to %j', async (name, changes) => {
    const { tied, start } = world();
    await expect(start(await tied(), changes)).rejects.toMatchObject({ name });
  });

  it('but not without an association', async () => {
    const { available, start } = world();
    const asked = expect(start(await available(), { Report: { Enabled: false } }));
    await asked.rejects.toMatchObject({ name: 'BadRequest' });
  });

  it('but not beside auto-export', async () => {
    const { tied, start } = world();
    const id = await tied(EXPORTS as object);
    await expect(start(id)).rejects.toMatchObject({ name: 'BadRequest' });
  });

  it('with S3AccessDenied while its association is misconfigured', async () => {
    const { tied, ends, write, fsx, keys } = world();
    const id = await tied();
    write(id, '/scratch/a');
    fsx.misconfigure(fsx.get(id)?.associations[0]?.associationId ?? '', 'access denied');
    expect([(await ends(id))?.Lifecycle, keys().filter((key) => key.endsWith('/a'))]).toEqual([
      'FAILED',
      [],
    ]);
  });

  it('that may fail with a sentence of its own', async () => {
    const fate = { task: () => ({ kind: 'fails', message: 'no such bucket' }) as const };
    const { tied, ends } = world({ fate });
    expect(await ends(await tied())).toMatchObject({
      Lifecycle: 'FAILED',
      FailureDetails: { Message: 'no such bucket' },
    });
  });
});

describe('FSx cancels a task', () => {
  it('over some time, and brings no further file', async () => {
    const { tied, start, fsx, tasks, write, pass, keys } = world();
    const id = await tied();
    for (let n = 0; n < 13_000; n += 1) write(id, `/scratch/${n}`);
    const TaskId = await start(id);
    while ((await tasks())[0]?.Status === undefined) await pass(SECOND);
    const answer = await fsx.cancelDataRepositoryTask({ TaskId });
    await pass(MINUTE);
    expect([answer.Lifecycle, (await tasks())[0]?.Lifecycle, keys().length]).toEqual([
      'CANCELING',
      'CANCELED',
      6000,
    ]);
  });

  it('only while it is not over', async () => {
    const { tied, ends, fsx } = world();
    const TaskId = (await ends(await tied()))?.TaskId ?? '';
    const asked = expect(fsx.cancelDataRepositoryTask({ TaskId }));
    await asked.rejects.toMatchObject({ name: 'DataRepositoryTaskEnded' });
  });

  it('only where there is one', async () => {
    const TaskId = 'task-0fffffffffffffff0';
    const asked = expect(world().fsx.cancelDataRepositoryTask({ TaskId }));
    await asked.rejects.toMatchObject({ name: 'DataRepositoryTaskNotFound' });
  });
});

describe('FSx exports all along', () => {
  it('a file eight to ten seconds after it was closed', async () => {
    const { tied, write, pass, keys } = world();
    const id = await tied(EXPORTS as object);
    write(id, '/scratch/a');
    await pass(8 * SECOND - 1);
    const before = keys();
    await pass(2 * SECOND + 1);
    expect([before, keys()]).toEqual([[], ['runs/r1/a']]);
  });

  it('no file that is still written to', async () => {
    const { tied, write, pass, keys } = world();
    const id = await tied(EXPORTS as object);
    for (let seconds = 0; seconds < 60; seconds += 3) {
      write(id, '/scratch/a', `${seconds}`);
      await pass(3 * SECOND);
    }
    expect(keys()).toEqual([]);
  });

  it('nothing while the bucket is out of reach, and everything afterwards', async () => {
    const { tied, write, pass, keys, fsx } = world();
    const id = await tied(EXPORTS as object);
    fsx.misconfigure(
      fsx.get(id)?.associations[0]?.associationId ?? '',
      'access denied',
      5 * MINUTE,
    );
    write(id, '/scratch/a');
    await pass(4 * MINUTE);
    const before = keys();
    await pass(2 * MINUTE);
    expect([before, keys()]).toEqual([[], ['runs/r1/a']]);
  });

  it('and forgets a file that could not be brought, which a task finds', async () => {
    let isDenied = true;
    const { tied, write, pass, keys, fsx, ends } = world({
      fate: { file: () => (isDenied ? 'S3AccessDenied' : undefined) },
    });
    const id = await tied(EXPORTS as object);
    write(id, '/scratch/a');
    await pass(MINUTE);
    const waiting = fsx.queueOf(id).at(-1)?.oldest;
    isDenied = false;
    const AssociationId = fsx.get(id)?.associations[0]?.associationId ?? '';
    await fsx.updateDataRepositoryAssociation({
      AssociationId,
      S3: { AutoExportPolicy: { Events: [] } },
    });
    await pass(2 * MINUTE);
    const before = keys();
    await ends(id);
    expect([waiting, before, keys()]).toEqual([undefined, [], ['runs/r1/a']]);
  });
});

describe('FSx mirrors deletions', () => {
  /** A file system whose files `a` and `b` were brought. */
  async function mirrored(changes: object = MIRRORS, parts: Partial<FsxParts> = {}) {
    const made = world(parts);
    const id = await made.tied(changes);
    for (const name of ['a', 'b']) made.write(id, `/scratch/${name}`);
    await made.pass(MINUTE);
    const associationId = made.fsx.get(id)?.associations[0]?.associationId ?? '';
    const exportOnly = async (...Events: ('NEW' | 'CHANGED' | 'DELETED')[]) => {
      const S3 = { AutoExportPolicy: { Events } };
      await made.fsx.updateDataRepositoryAssociation({ AssociationId: associationId, S3 });
      await made.pass(2 * MINUTE);
    };
    return { ...made, id, associationId, exportOnly };
  }

  it('eight to ten seconds after them', async () => {
    const { id, trees, pass, keys } = await mirrored();
    trees.remove(id, '/scratch/a');
    await pass(8 * SECOND - 1);
    const before = keys();
    await pass(2 * SECOND + 1);
    expect([before, keys()]).toEqual([['runs/r1/a', 'runs/r1/b'], ['runs/r1/b']]);
  });

  it('only where its events name them', async () => {
    const { id, trees, pass, keys, fsx } = await mirrored(EXPORTS);
    trees.remove(id, '/scratch/a');
    await pass(MINUTE);
    expect([keys(), fsx.queueOf(id).at(-1)?.oldest]).toEqual([
      ['runs/r1/a', 'runs/r1/b'],
      undefined,
    ]);
  });

  it('and a file under another name is one more and one less', async () => {
    const { id, trees, write, pass, keys } = await mirrored();
    write(id, '/scratch/c', trees.read(id, '/scratch/a'));
    trees.remove(id, '/scratch/a');
    await pass(10 * SECOND);
    expect(keys()).toEqual(['runs/r1/b', 'runs/r1/c']);
  });

  it('of what it imported, and of nothing else that lies in S3', async () => {
    const { tied, buckets, pass, trees, write, keys } = world();
    buckets.put('results', 'runs/r1/imported', 'from S3');
    const id = await tied({ ...MIRRORS, BatchImportMetaDataOnCreate: true } as object);
    await pass(2 * MINUTE);
    buckets.put('results', 'runs/r1/stranger', 'from elsewhere');
    trees.remove(id, '/scratch/imported');
    write(id, '/scratch/stranger');
    trees.remove(id, '/scratch/stranger');
    await pass(MINUTE);
    expect(keys()).toEqual(['runs/r1/stranger']);
  });

  it('but no file that is back before it was settled', async () => {
    const { id, trees, write, pass, keys, buckets } = await mirrored();
    for (let count = 0; count < 10; count += 1) {
      trees.remove(id, '/scratch/a');
      await pass(SECOND);
      write(id, '/scratch/a', `${count}`);
      await pass(9 * SECOND);
      expect(keys()).toEqual(['runs/r1/a', 'runs/r1/b']);
    }
    await pass(10 * SECOND);
    expect(buckets.get('results', 'runs/r1/a')).toBe('9');
  });

  it('which wait in the queue as changes do', async () => {
    const { id, trees, pass, clock, fsx } = await mirrored();
    const deletedAt = clock.now();
    trees.remove(id, '/scratch/a');
    await pass(6 * SECOND);
    const waiting = fsx.queueOf(id).at(-1)?.oldest;
    await pass(4 * SECOND);
    expect([waiting, fsx.queueOf(id).at(-1)?.oldest]).toEqual([deletedAt, undefined]);
  });

  it('and waits with them while the bucket is out of reach', async () => {
    const { id, associationId, trees, pass, keys, fsx, clock } = await mirrored();
    fsx.misconfigure(associationId, 'access denied', 5 * MINUTE);
    const deletedAt = clock.now();
    trees.remove(id, '/scratch/a');
    await pass(4 * MINUTE);
    const before = [keys().length, fsx.queueOf(id).at(-1)?.oldest];
    await pass(2 * MINUTE);
    expect([before, keys()]).toEqual([[2, deletedAt], ['runs/r1/b']]);
  });

  it('but not those made while it is off, and a task does not either', async () => {
    const { id, trees, keys, exportOnly, ends, pass } = await mirrored();
    await exportOnly();
    trees.remove(id, '/scratch/a');
    await pass(MINUTE);
    const task = await ends(id);
    expect([task?.Status?.TotalCount, keys()]).toEqual([0, ['runs/r1/a', 'runs/r1/b']]);
  });

  it('and gives one up that S3 refuses, until the file was brought again', async () => {
    let isDenied = false;
    const fate = { file: () => (isDenied ? 'S3AccessDenied' : undefined) };
    const { id, trees, pass, keys, fsx, write } = await mirrored(MIRRORS, { fate });
    isDenied = true;
    trees.remove(id, '/scratch/a');
    await pass(MINUTE);
    isDenied = false;
    write(id, '/scratch/other');
    await pass(MINUTE);
    const kept = [keys(), fsx.queueOf(id).at(-1)?.oldest];
    write(id, '/scratch/a', 'again');
    await pass(MINUTE);
    trees.remove(id, '/scratch/a');
    await pass(MINUTE);
    expect(kept).toEqual([['runs/r1/a', 'runs/r1/b', 'runs/r1/other'], undefined]);
    expect(keys()).toEqual(['runs/r1/b', 'runs/r1/other']);
  });

  it('but none when the file system itself is deleted, whatever waits', async () => {
    const { id, trees, pass, keys, fsx } = await mirrored();
    trees.remove(id, '/scratch/a');
    await fsx.deleteFileSystem({ FileSystemId: id });
    await pass(MINUTE);
    trees.remove(id, '/scratch/b');
    await pass(10 * MINUTE);
    expect([keys(), fsx.get(id)]).toEqual([['runs/r1/a', 'runs/r1/b'], undefined]);
  });

  it('but none when it vanishes', async () => {
    const { id, pass, keys, fsx, write } = await mirrored();
    write(id, '/scratch/a', 'changed');
    await pass(5 * SECOND);
    fsx.vanish(id);
    await pass(10 * MINUTE);
    expect(keys()).toEqual(['runs/r1/a', 'runs/r1/b']);
  });
});

describe('FSx in a later process', () => {
  it('goes on with what was under way', async () => {
    const noted = new Map<string, LocalFileSystem>();
    const notes = {
      save: (each: LocalFileSystem) =>
        void noted.set(each.fileSystemId, JSON.parse(JSON.stringify(each))),
      remove: (id: string) => void noted.delete(id),
    };
    const first = world({ notes });
    const id = await first.make();
    await first.link(id);
    await first.link(id, { FileSystemPath: '/input', DataRepositoryPath: 's3://inputs/' });
    const gone = await first.make({ ClientRequestToken: 'gone' });
    noted.set(gone, { ...first.fsx.all()[1], lifecycle: 'DELETING' } as LocalFileSystem);
    const { fsx, pass, lifecycles, make } = world({ notes, existing: [...noted.values()] });
    await pass(25 * MINUTE);
    expect([fsx.get(id)?.lifecycle, lifecycles(id), [...noted.keys()], await make()]).toEqual([
      'AVAILABLE',
      ['AVAILABLE', 'AVAILABLE'],
      [id],
      id,
    ]);
  });

  it('imports what an earlier one did not get to the end of', async () => {
    const first = world({ fate: { task: () => ({ kind: 'sticks', in: 'EXECUTING' }) } });
    const id = await first.tied({ BatchImportMetaDataOnCreate: true });
    await first.pass(MINUTE);
    const { trees, buckets, pass } = world({ existing: first.fsx.all() });
    buckets.put('results', 'runs/r1/a', 'from S3');
    await pass(2 * MINUTE);
    expect(trees.list(id, '/')).toEqual(['/scratch/a']);
  });

  it('imports nothing twice', async () => {
    const first = world();
    const id = await first.tied({ BatchImportMetaDataOnCreate: true });
    await first.pass(2 * MINUTE);
    const { tasks, pass } = world({ existing: first.fsx.all() });
    await pass(2 * MINUTE);
    expect([first.fsx.get(id)?.associations[0]?.owesImport, await tasks()]).toEqual([false, []]);
  });

  it('goes on to export all along', async () => {
    const first = world();
    const id = await first.tied(EXPORTS as object);
    const { write, pass, keys } = world({ existing: first.fsx.all() });
    await pass(MINUTE);
    write(id, '/scratch/a');
    await pass(10 * SECOND);
    expect(keys()).toEqual(['runs/r1/a']);
  });

  it('knows nothing of one that vanished', async () => {
    const removed: string[] = [];
    const { fsx, available } = world({
      notes: { save() {}, remove: (id) => void removed.push(id) },
    });
    const id = await available();
    fsx.vanish(id);
    expect([fsx.get(id), removed]).toEqual([undefined, [id]]);
  });
});
