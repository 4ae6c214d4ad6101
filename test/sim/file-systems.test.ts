import { Throttled } from '../../handlers';
import { type FsxPlace, fileSystemsOn } from '../../handlers/aws/file-systems';
import type { FsxApi } from '../../handlers/aws/fsx-api';
import { memoryBuckets } from '../../sim/buckets';
import { virtualClock } from '../../sim/clock';
import { type FsxParts, localFsx } from '../../sim/fsx';
import { seededRandom } from '../../sim/random';
import { memoryTrees, placeOf } from '../../sim/trees';
import { advance, EVER, NOW } from '../support/builders';
import { fileSystemsContract } from '../support/file-systems.contract';

const MINUTE = 60_000;

/** The real adapter over the FSx of the simulator, with what was called. */
function world(parts: Partial<FsxParts> = {}, place: Partial<FsxPlace> = {}) {
  const clock = virtualClock(NOW);
  const buckets = memoryBuckets();
  const trees = memoryTrees(buckets);
  const called: { readonly operation: string; readonly request: Record<string, unknown> }[] = [];
  const fsx = localFsx({
    ...{ clock, trees, random: seededRandom(1), account: '000000000000', region: 'us-east-1' },
    // So small that every list has several pages.
    pageSize: 1,
    ...parts,
    refuse(operation, request) {
      called.push({ operation, request: { ...request } });
      return parts.refuse?.(operation, request);
    },
  });
  const at: FsxPlace = {
    stack: 'test',
    subnetOf: () => 'subnet-00000001',
    securityGroupIds: ['sg-00000001'],
    now: clock.now,
    sleep: (ms) => advance(clock, ms),
    ...place,
  };
  const fileSystems = fileSystemsOn(fsx, at);
  const pass = (ms: number) => advance(clock, ms);
  const make = async (clientToken = 'r1.storage.1') => {
    const wanted = { runId: 'r1', mode: 'autoExport', zone: 'us-east-1a', sizeGib: 1200 } as const;
    return fileSystems.create({ clientToken, ...wanted, version: '2.15' });
  };
  const available = async () => {
    const made = await make();
    await pass(12 * MINUTE);
    return made.ok ? made.fileSystemId : '';
  };
  const tied = async (autoExports = false) => {
    const fileSystemId = await available();
    const linked = await fileSystems.link({
      ...{ clientToken: 'r1.link.1', runId: 'r1', fileSystemId, chunkSizeMib: 1024 },
      link: {
        ...{ path: '/scratch', repositoryPath: 's3://results/runs/r1/', direction: 'both' },
        ...{ imports: false, autoExports },
      },
    });
    await pass(5 * MINUTE);
    return { fileSystemId, associationId: linked.ok ? linked.associationId : '' };
  };
  const startExport = (fileSystemId: string, reportPath = 's3://results/runs/r1/_reports') => {
    const wanted = { clientToken: 'r1.export.1', runId: 'r1', path: '/scratch' };
    return fileSystems.startExport({ ...wanted, fileSystemId, reportPath });
  };
  const callsOf = (name: string) => called.filter(({ operation }) => operation === name);
  const life = { make, available, tied, startExport };
  return { clock, fsx, at, fileSystems, trees, buckets, pass, called, callsOf, ...life };
}

/** The same FSx, where every file system shows these tags and no others. */
function retagged(fsx: FsxApi, tags: Readonly<Record<string, string>>): FsxApi {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    ...fsx,
    async describeFileSystems(request) {
      const answer = await fsx.describeFileSystems(request);
      return { ...answer, FileSystems: answer.FileSystems?.map((each) => ({ ...each, Tags })) };
    },
  };
}

fileSystemsContract('FSx in the simulator', () => {
  const { fileSystems, pass, trees, buckets, clock } = world();
  return {
    fileSystems,
    advance: pass,
    write: async (id, path, body) => trees.write(id, path, body, clock.now()),
    remove: async (id, path) => trees.remove(id, path),
    async keys(place) {
      const { bucket, prefix } = placeOf(place);
      return buckets.list(bucket, prefix).map((key) => key.slice(prefix.length));
    },
    async put(place, name, body) {
      const { bucket, prefix } = placeOf(place);
      buckets.put(bucket, `${prefix}${name}`, body);
    },
  };
});

describe('the adapter over FSx', () => {
  it('marks a file system as ours when it is made', async () => {
    const { fsx, make } = world();
    await make();
    expect(fsx.all()[0]?.tags).toEqual([
      { Key: 'ebbtide:stack', Value: 'test' },
      { Key: 'ebbtide:run', Value: 'r1' },
      { Key: 'ebbtide:mode', Value: 'autoExport' },
    ]);
  });

  it('asks for scratch storage of the version it was given, in the subnet of the zone', async () => {
    const { fsx, make } = world({}, { subnetOf: (zone) => `subnet-0000000${zone.at(-1)}` });
    await make();
    expect(fsx.all()[0]?.request).toMatchObject({
      FileSystemTypeVersion: '2.15',
      SubnetIds: ['subnet-0000000a'],
      SecurityGroupIds: ['sg-00000001'],
      LustreConfiguration: { DeploymentType: 'SCRATCH_2' },
    });
  });

  it('marks associations and tasks as ours', async () => {
    const { tied, startExport, callsOf } = world();
    const { fileSystemId } = await tied();
    await startExport(fileSystemId);
    const ours = [
      { Key: 'ebbtide:stack', Value: 'test' },
      { Key: 'ebbtide:run', Value: 'r1' },
    ];
    const tags = ['createDataRepositoryAssociation', 'createDataRepositoryTask'].map(
      (name) => callsOf(name)[0]?.request.Tags,
    );
    expect(tags).toEqual([ours, ours]);
  });

  it.each([
    ['ServiceLimitExceeded', 'The limit is exceeded', true],
    ['BadRequest', 'Insufficient capacity in us-east-1a', true],
    ['BadRequest', 'There is not enough available capacity in this zone', true],
    ['BadRequest', 'The storage capacity must be a multiple of 2400', false],
    ['InvalidNetworkSettings', 'The security group must allow 988', false],
    ['MissingFileSystemConfiguration', 'No configuration', false],
  ])('tells %s (%s) as an answer', async (name, message, noRoom) => {
    const { make } = world({ refuse: () => ({ name, message }) });
    expect(await make()).toEqual({ ok: false, noRoom, reason: message });
  });

  it.each([
    'ThrottlingException',
    'ThrottledException',
    'RequestLimitExceeded',
    'TooManyRequestsException',
  ])('takes %s as a wish for fewer calls', async (name) => {
    const { make } = world({ refuse: () => ({ name, message: 'slowly' }) });
    await expect(make()).rejects.toThrow(Throttled);
  });

  it('takes “Rate exceeded” as a wish for fewer calls, whatever its name', async () => {
    const refuse = () => ({ name: 'BadRequest', message: 'Rate exceeded' });
    await expect(world({ refuse }).fileSystems.list()).rejects.toThrow(Throttled);
  });

  it('throws on what it does not expect', async () => {
    const refuse = () => ({ name: 'InternalServerError', message: 'oops' });
    await expect(world({ refuse }).make()).rejects.toMatchObject({ name: 'InternalServerError' });
  });

  it('sees one known file system among forty-nine that are not', async () => {
    const { fileSystems, make, callsOf } = world({ pageSize: 25 });
    const made = await make();
    const id = made.ok ? made.fileSystemId : '';
    const strangers = Array.from({ length: 49 }, (_, n) => `fs-0fffffffffffff${n + 100}`);
    const seen = await fileSystems.describe([
      ...strangers.slice(0, 20),
      id,
      ...strangers.slice(20),
    ]);
    expect(seen.map(({ fileSystemId }) => fileSystemId)).toEqual([id]);
    // Halved down to single ids, and the strangers asked for a second time.
    expect(callsOf('describeFileSystems').length).toBeLessThan(200);
  });

  it('asks for no more file systems in a call than FSx takes', async () => {
    const { fileSystems, fsx, pass } = world({ quota: { fileSystems: 60, gib: 100_000 } });
    const ids: string[] = [];
    for (let count = 0; count < 60; count += 1) {
      const wanted = {
        runId: 'r1',
        mode: 'taskExport',
        zone: 'us-east-1a',
        sizeGib: 1200,
      } as const;
      await fileSystems.create({ clientToken: `t${count}`, ...wanted, version: '2.15' });
      ids.push(fsx.all()[count]?.fileSystemId ?? '');
    }
    await pass(12 * MINUTE);
    expect((await fileSystems.inspect(ids)).map(({ fileSystemId }) => fileSystemId)).toEqual(ids);
  });

  it('believes no single denial of what is there', async () => {
    let denials = 0;
    const { fileSystems, make } = world({
      refuse(operation) {
        if (operation !== 'describeFileSystems' || denials === 0) return undefined;
        denials -= 1;
        return { name: 'FileSystemNotFound', message: 'not yet' };
      },
    });
    const made = await make();
    const id = made.ok ? made.fileSystemId : '';
    denials = 1;
    const described = await fileSystems.describe([id]);
    denials = 1;
    const inspected = await fileSystems.inspect([id]);
    expect([described, inspected]).toMatchObject([[{ fileSystemId: id }], [{ fileSystemId: id }]]);
  });

  it('asks a second time five seconds later, for what was denied only', async () => {
    const { fileSystems, make, clock, callsOf } = world();
    const made = await make();
    const id = made.ok ? made.fileSystemId : '';
    const stranger = 'fs-0fffffffffffffff0';
    const begun = clock.now();
    const seen = await fileSystems.describe([stranger, id]);
    const last = callsOf('describeFileSystems').at(-1)?.request.FileSystemIds;
    expect([seen.length, clock.now() - begun, last]).toEqual([1, 5000, [stranger]]);
    await fileSystems.describe([id]);
    expect(clock.now() - begun).toBe(5000);
  });

  it.each([
    ['another stack', { 'ebbtide:stack': 'other', 'ebbtide:run': 'r1' }],
    ['another run', { 'ebbtide:stack': 'test', 'ebbtide:run': 'r2' }],
    ['nobody we know', { owner: 'them' }],
  ])('releases nothing that is tagged as of %s, though it has its id', async (_whose, tags) => {
    const { fsx, at, available, callsOf } = world();
    const fileSystemId = await available();
    const fileSystems = fileSystemsOn(retagged(fsx, tags), at);
    const released = await fileSystems.release({ since: EVER, runId: 'r1', fileSystemId });
    expect([released, callsOf('deleteFileSystem')]).toEqual([{ kind: 'gone' }, []]);
  });

  it('releases what has no tags at all by its id', async () => {
    const { fsx, at, available } = world();
    const fileSystemId = await available();
    const fileSystems = fileSystemsOn(retagged(fsx, {}), at);
    const released = await fileSystems.release({ since: EVER, runId: 'r1', fileSystemId });
    expect([released, fsx.get(fileSystemId)?.lifecycle]).toEqual([
      { kind: 'going', step: 'deleting' },
      'DELETING',
    ]);
  });

  it('asks auto-export for all that happens to files, and only where it is wanted', async () => {
    const asked = [true, false].map(async (autoExports) => {
      const { tied, callsOf } = world();
      await tied(autoExports);
      return callsOf('createDataRepositoryAssociation')[0]?.request.S3;
    });
    expect(await Promise.all(asked)).toEqual([
      { AutoExportPolicy: { Events: ['NEW', 'CHANGED', 'DELETED'] } },
      undefined,
    ]);
  });

  it('knows a file system that failed for want of capacity', async () => {
    const { fileSystems, make, pass } = world({
      fate: { fileSystem: () => ({ kind: 'fails', message: 'Insufficient capacity in the zone' }) },
    });
    const made = await make();
    await pass(12 * MINUTE);
    expect(await fileSystems.describe([made.ok ? made.fileSystemId : ''])).toMatchObject([
      { lifecycle: 'FAILED', failure: 'Insufficient capacity in the zone', noRoom: true },
    ]);
  });

  it('releases file systems that failed', async () => {
    const { fileSystems, make, pass, fsx } = world({
      fate: { fileSystem: () => ({ kind: 'fails', message: 'broken' }) },
    });
    await make();
    await pass(12 * MINUTE);
    await fileSystems.release({ since: EVER, runId: 'r1' });
    await pass(6 * MINUTE);
    expect(fsx.all()).toEqual([]);
  });

  it('never deletes while a task is pending or executing', async () => {
    const { fileSystems, tied, startExport, pass, called, fsx } = world();
    const { fileSystemId } = await tied();
    await startExport(fileSystemId);
    const lifecycles: unknown[] = [];
    for (let steps = 0; steps < 60 && fsx.get(fileSystemId); steps += 1) {
      const before = called.length;
      const [task] = (await fsx.describeDataRepositoryTasks({})).DataRepositoryTasks ?? [];
      await fileSystems.release({ since: EVER, runId: 'r1', fileSystemId });
      const deletes = called
        .slice(before)
        .some(({ operation }) => operation === 'deleteFileSystem');
      if (deletes) lifecycles.push(task?.Lifecycle);
      await pass(2000);
    }
    expect(lifecycles).toEqual(['CANCELING']);
  });

  it('tries the deletion beside a task that is being canceled, and waits where FSx refuses', async () => {
    const fate = { task: () => ({ kind: 'sticks', in: 'CANCELING' }) as const };
    const refuse = (operation: string) =>
      operation === 'deleteFileSystem' ? { name: 'BadRequest', message: 'a task' } : undefined;
    const { fileSystems, tied, startExport, pass, callsOf } = world({ fate, refuse });
    const { fileSystemId } = await tied();
    await startExport(fileSystemId);
    for (let steps = 0; steps < 20; steps += 1) {
      await fileSystems.release({ since: EVER, runId: 'r1', fileSystemId });
      await pass(MINUTE);
    }
    const released = await fileSystems.release({ since: EVER, runId: 'r1', fileSystemId });
    expect(released).toEqual({ kind: 'going', step: 'waiting' });
    expect(callsOf('deleteFileSystem').length).toBeGreaterThan(10);
  });

  it('switches off with an empty policy, since one that is left out stays', async () => {
    const { fileSystems, tied, callsOf } = world();
    await fileSystems.switchOffAutoExport(await tied(true));
    expect(callsOf('updateDataRepositoryAssociation')[0]?.request.S3).toEqual({
      AutoExportPolicy: { Events: [] },
    });
  });

  it('lists nothing of another stack', async () => {
    const { fsx, make, at } = world();
    await make();
    const other = fileSystemsOn(fsx, { ...at, stack: 'other' });
    expect(await other.list()).toEqual([]);
  });

  it('discards nothing of another stack', async () => {
    const { fsx, available, at } = world();
    const id = await available();
    const other = fileSystemsOn(fsx, { ...at, stack: 'other' });
    expect([await other.discard(id), fsx.get(id)?.lifecycle]).toEqual([false, 'AVAILABLE']);
  });

  it('gives a token with every request that takes one', async () => {
    const { fileSystems, tied, startExport, pass, called } = world();
    const { fileSystemId, associationId } = await tied(true);
    const off = () => fileSystems.switchOffAutoExport({ fileSystemId, associationId });
    await off();
    await pass(2 * MINUTE);
    await startExport(fileSystemId);
    await pass(2 * MINUTE);
    await fileSystems.release({ since: EVER, runId: 'r1' });
    const changes = called.filter(({ operation }) => /^(create|update|delete)/.test(operation));
    expect(
      changes.map(({ operation, request }) => [operation, typeof request.ClientRequestToken]),
    ).toEqual([
      ['createFileSystem', 'string'],
      ['createDataRepositoryAssociation', 'string'],
      ['updateDataRepositoryAssociation', 'string'],
      ['createDataRepositoryTask', 'string'],
      ['deleteFileSystem', 'string'],
    ]);
  });
});
