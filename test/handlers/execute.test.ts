import fc from 'fast-check';
import {
  ACTIVE_STATUSES,
  type ActiveStatus,
  PARAMETERS,
  ReleaseStarted,
  RequestRefused,
  type RunStatus,
  StopRequested,
  StorageDeferred,
  StorageRequested,
} from '../../events';
import {
  conclude,
  execute,
  HANDLERS,
  lookOf,
  observer,
  type Ports,
  reaction,
} from '../../handlers';
import { acceptRun } from '../../handlers/accept-run';
import { cancelRun } from '../../handlers/cancel-run';
import { createFileSystem } from '../../handlers/create-file-system';
import { createVolume } from '../../handlers/create-volume';
import { discardFileSystem } from '../../handlers/discard-file-system';
import { enforceDeadline } from '../../handlers/enforce-deadline';
import { findJob } from '../../handlers/find-job';
import { observeFileSystem } from '../../handlers/observe-file-system';
import { observeVolume } from '../../handlers/observe-volume';
import { releaseRun } from '../../handlers/release-run';
import { releaseVolume } from '../../handlers/release-volume';
import { requestStorage } from '../../handlers/request-storage';
import { resumeRun } from '../../handlers/resume-run';
import { submitJob } from '../../handlers/submit-job';
import { Crash } from '../../sim/once';
import { FILE_SYSTEM, later, lustreRun, NOW, run } from '../support/builders';
import {
  creating,
  envelope,
  given,
  happens,
  lustreStorageIn,
  MADE,
  overtaken,
  passUntil,
  probeEnvelope,
  requestedJob,
  runIn,
  seenFileSystem,
  storageIn,
  VOLUME,
  world,
  writtenIn,
} from './world';

const verdict = { kind: 'cancelled', reason: 'enough' } as const;
const cancel = envelope('RunCancelRequested', { runId: 'r1', reason: 'enough' });
const released = ReleaseStarted.of({ verdict });
const noted = RequestRefused.of({ request: 'somebody', reason: 'else', requestId: 'q1' });

describe('a delivery about something that is not ours', () => {
  it('is a success when nobody has the volume', async () => {
    const { ports, lines } = world();
    const notification = {
      ...envelope('EBS Volume Notification', { event: 'deleteVolume', result: 'deleted' }),
      resources: ['arn:aws:ec2:us-east-1:000000000000:volume/vol-0fffffffffffffff0'],
    };
    await execute(observeVolume, notification, ports);
    expect(lines).toMatchObject([{ runId: '', seq: 0, decided: 'not ours' }]);
  });

  it('is a success when nobody has the run, an hour after it was asked for', async () => {
    const here = world();
    await passUntil(here, NOW + 3_600_000);
    await execute(cancelRun, cancel, here.ports);
    expect(here.lines).toMatchObject([{ runId: 'r1', seq: 0, decided: 'not ours' }]);
  });

  it('is a success when a probe finds no run, however young it is', async () => {
    const { ports, lines } = world();
    await execute(createVolume, probeEnvelope('provisioning'), ports);
    expect(lines).toMatchObject([{ decided: 'not ours' }]);
  });

  it('is a success when a stranger named a job of Batch nearly as we do', async () => {
    const { ports, lines } = world();
    const observeJob = HANDLERS.find(({ name }) => name === 'observe-job') ?? cancelRun;
    const detail = { jobName: 'ebbtide-mine', jobId: 'j', status: 'RUNNING' };
    await execute(observeJob, envelope('Batch Job State Change', detail, 'aws.batch'), ports);
    expect(lines).toMatchObject([{ decided: 'not ours' }]);
  });
});

describe('a request about a run that is not there', () => {
  const waits = 'there is no run r1 yet: the request waits for it';

  it.each([cancelRun, resumeRun, releaseRun])(
    'is thrown for its first hour, that its queue brings it again: $name',
    async (handler) => {
      const here = world();
      const type = handler.on?.types[0] ?? '';
      const asked = envelope(type, { runId: 'r1', reason: 'enough' });
      await expect(execute(handler, asked, here.ports)).rejects.toThrow(waits);
      await passUntil(here, NOW + 3_600_000 - 1);
      await expect(execute(handler, asked, here.ports)).rejects.toThrow(waits);
      expect(here.lines).toEqual([]);
      await passUntil(here, NOW + 3_600_000);
      await execute(handler, asked, here.ports);
      expect(here.lines).toMatchObject([{ decided: 'not ours' }]);
    },
  );

  it.each([
    ['an hour and more behind', -3_600, false],
    ['less than an hour behind', -3_599, true],
    ['less than an hour ahead', 3_599, true],
    ['an hour and more ahead', 3_600, false],
  ])('is waited for no longer than an hour, its time being %s', async (_what, second, isThrown) => {
    const { ports, lines } = world();
    const asked = execute(cancelRun, { ...cancel, time: later(second) }, ports);
    if (isThrown) await expect(asked).rejects.toThrow(waits);
    else await asked;
    expect(lines.map(({ decided }) => decided)).toEqual(isThrown ? [] : ['not ours']);
  });

  it('is answered when the run has come meanwhile', async () => {
    const { ports, runs } = world();
    await expect(execute(cancelRun, cancel, ports)).rejects.toThrow(waits);
    await given(runs, runIn('ready'));
    await execute(cancelRun, cancel, ports);
    expect(await runs.get('r1')).toMatchObject({ status: 'releasing' });
  });
});

describe('a delivery that is a defect', () => {
  it.each([
    ['does not parse', envelope('StorageRequested', { runId: 'r1' })],
    ['nobody declared', envelope('RunFailed')],
  ])('is thrown when its event %s', async (_what, event) => {
    await expect(execute(createVolume, event, world().ports)).rejects.toThrow();
  });

  it('is thrown when its handler only listens to probes', async () => {
    await expect(
      execute(enforceDeadline, envelope('StorageRequested'), world().ports),
    ).rejects.toThrow('enforce-deadline only listens to probes');
  });

  it.each([
    ['the run is older than it', 9],
    ['there is no run at all', undefined],
  ])('is thrown when %s', async (_what, seq) => {
    const { ports, runs } = world();
    if (seq) await given(runs, run());
    const detail = {
      ...{ runId: 'r1', mode: 'onlyEBS', status: 'provisioning', seq: seq ?? 1, time: later(0) },
      data: { kind: 'volume', zone: 'us-east-1a', sizeGib: 500 },
    };
    await expect(
      execute(createVolume, envelope('StorageRequested', detail), ports),
    ).rejects.toThrow('r1 is older than its own event');
  });
});

describe('a delivery', () => {
  it('writes nothing when it is ignored', async () => {
    const { ports, runs } = world();
    const before = await given(runs, runIn('ready'));
    const look = await runs.look('r1');
    await execute(createVolume, probeEnvelope('provisioning'), ports);
    expect([await runs.get('r1'), await runs.journal('r1'), await runs.look('r1')]).toEqual([
      before,
      [],
      look,
    ]);
  });

  it('writes nothing when it concludes nothing', async () => {
    const { ports, runs, lines } = world();
    await given(runs, run());
    const silent = reaction({
      ...{ name: 'say-nothing', watches: ['provisioning'], uses: [], emits: [] },
      decide: () => conclude(),
    });
    await execute(silent, probeEnvelope('provisioning'), ports);
    expect([lines[0]?.decided, await runs.journal('r1')]).toEqual(['ignored: nothing follows', []]);
  });

  it('is one line in the log, whatever was decided', async () => {
    const { ports, runs, lines } = creating();
    await given(runs, run());
    await execute(createVolume, probeEnvelope('provisioning'), ports);
    await execute(createVolume, probeEnvelope('provisioning'), ports);
    const line = { handler: 'create-volume', event: 'ProbeDue', runId: 'r1' };
    expect(lines).toEqual([
      { ...line, seq: 2, decided: 'VolumeCreated' },
      { ...line, seq: 3, decided: 'ignored: volume exists' },
    ]);
  });

  it('names all events of its commit in the log', async () => {
    const { ports, runs, lines } = creating({ ok: false, noRoom: false, reason: 'no such key' });
    await given(runs, run());
    await execute(createVolume, probeEnvelope('provisioning'), ports);
    expect(lines).toMatchObject([{ decided: 'StorageFailed, ReleaseStarted' }]);
  });

  it('reads again and decides again when another one was faster', async () => {
    const here = world();
    await given(here.runs, runIn('running'));
    const runs = overtaken(here.runs, () => happens(here.runs, StopRequested.of({ verdict })));
    await here.settled(execute(cancelRun, cancel, { ...here.ports, runs }));
    // Meanwhile somebody else's wish has done what this one wants: this one is told so.
    expect(await writtenIn(here)).toEqual(['StopRequested', 'RequestRefused']);
  });

  it('is logged once although it decided twice', async () => {
    const here = world();
    await given(here.runs, runIn('running'));
    const runs = overtaken(here.runs, () => happens(here.runs, noted));
    await here.settled(execute(cancelRun, cancel, { ...here.ports, runs }));
    expect(here.lines).toMatchObject([{ seq: 3, decided: 'StopRequested' }]);
  });

  it('waits a moment, and longer each time, before it decides again', async () => {
    const here = world();
    await given(here.runs, runIn('running'));
    const change = () => happens(here.runs, noted);
    const runs = overtaken(here.runs, change, change);
    await here.settled(execute(cancelRun, cancel, { ...here.ports, runs }));
    expect(here.clock.now()).toBe(NOW + 25 + 50);
  });

  it('is thrown when others are faster three times', async () => {
    const here = world();
    await given(here.runs, runIn('running'));
    const change = () => happens(here.runs, noted);
    const runs = overtaken(here.runs, change, change, change);
    await expect(here.settled(execute(cancelRun, cancel, { ...here.ports, runs }))).rejects.toThrow(
      'cancel-run: r1 changed 3 times meanwhile',
    );
  });
});

describe('an act', () => {
  it('is made under the key that was decided', async () => {
    const { ports, runs, tokens } = creating();
    await given(runs, run());
    await execute(createVolume, probeEnvelope('provisioning'), ports);
    expect(tokens).toEqual(['r1.storage-mjuohs00.1']);
  });

  it('is made once although its commit was overtaken', async () => {
    const here = creating();
    await given(here.runs, run());
    const runs = overtaken(here.runs, () => happens(here.runs, noted));
    await here.settled(
      execute(createVolume, probeEnvelope('provisioning'), { ...here.ports, runs }),
    );
    expect([here.tokens.length, await writtenIn(here)]).toEqual([
      1,
      ['RequestRefused', 'VolumeCreated'],
    ]);
  });

  it('is recorded on the run as it is by then: a volume that came while the run was released', async () => {
    const here = creating();
    await given(here.runs, run());
    const runs = overtaken(here.runs, () => happens(here.runs, released));
    await here.settled(
      execute(createVolume, probeEnvelope('provisioning'), { ...here.ports, runs }),
    );
    expect(await here.runs.get('r1')).toMatchObject({
      status: 'releasing',
      storage: { id: VOLUME },
    });
  });

  it('leads to its run by the id of the storage it made', async () => {
    const { ports, runs } = creating();
    await given(runs, run());
    await execute(createVolume, probeEnvelope('provisioning'), ports);
    expect(await runs.runOf(VOLUME)).toBe('r1');
  });

  it('of a submission is not lost where a stop was faster than its record: it is found by name', async () => {
    const here = world();
    await given(here.runs, runIn('running', { jobs: { main: requestedJob() } }));
    const runs = overtaken(here.runs, () => happens(here.runs, StopRequested.of({ verdict })));
    const made: string[] = [];
    const jobs: Ports['jobs'] = {
      ...here.ports.jobs,
      async submit({ jobName }) {
        made.push(jobName);
        return { ok: true, jobId: 'job-1' };
      },
      find: async ({ jobName }) => (made.includes(jobName) ? 'job-1' : undefined),
    };
    const event = probeEnvelope('running');
    await here.settled(execute(submitJob, event, { ...here.ports, runs, jobs }));
    await execute(findJob, event, { ...here.ports, jobs });
    expect(await here.runs.get('r1')).toMatchObject({
      stop: { verdict },
      jobs: { main: { status: 'SUBMITTED', jobId: 'job-1' } },
    });
  });

  it('is left to the reaper where the table does not allow its outcome any more', async () => {
    const here = creating({ ok: false, noRoom: true, reason: 'no capacity' });
    await given(here.runs, run());
    const runs = overtaken(here.runs, () => happens(here.runs, released));
    await here.settled(
      execute(createVolume, probeEnvelope('provisioning'), { ...here.ports, runs }),
    );
    expect([here.lines[0]?.decided, await writtenIn(here)]).toEqual([
      'ignored: StorageDeferred cannot meet releasing',
      ['ReleaseStarted'],
    ]);
  });

  it.each([
    ['once', {}, 1],
    ['each time where it may be repeated', { repeats: true as const }, 2],
  ])('is made %s over two deliveries', async (_how, shape, times) => {
    const here = world();
    await given(here.runs, runIn('releasing'));
    let acts = 0;
    const handler = reaction({
      ...{ name: 'count-acts', watches: ['releasing'], uses: [], emits: [RequestRefused] },
      ...shape,
      decide: () => ({ kind: 'proceed', key: 'r1.count', step: undefined }) as const,
      act: async () => {
        acts += 1;
        return acts;
      },
      record: () => conclude(noted),
    });
    await execute(handler, probeEnvelope('releasing'), here.ports);
    await execute(handler, probeEnvelope('releasing'), here.ports);
    expect(acts).toBe(times);
  });

  it('is made once when its handler dies before it can record the outcome', async () => {
    const here = creating();
    await given(here.runs, run());
    const dying = overtaken(here.runs, async () => {
      throw new Crash('died before the write');
    });
    const event = probeEnvelope('provisioning');
    await expect(execute(createVolume, event, { ...here.ports, runs: dying })).rejects.toThrow();
    await execute(createVolume, event, here.ports);
    expect([here.tokens.length, await writtenIn(here)]).toEqual([1, ['VolumeCreated']]);
  });

  it('is made again under the same key when its handler died during it', async () => {
    const here = creating();
    await given(here.runs, run());
    const { create } = here.ports.volumes;
    const volumes = {
      ...here.ports.volumes,
      create: async (wanted: Parameters<typeof create>[0]) => {
        await create(wanted);
        throw new Crash('died after the call');
      },
    };
    const event = probeEnvelope('provisioning');
    await expect(execute(createVolume, event, { ...here.ports, volumes })).rejects.toThrow('died');
    await expect(execute(createVolume, event, here.ports)).rejects.toThrow('in progress');
    here.clock.at(NOW + 60_000, () => {});
    await here.clock.step();
    await execute(createVolume, event, here.ports);
    expect(here.tokens).toEqual(['r1.storage-mjuohs00.1', 'r1.storage-mjuohs00.1']);
  });
});

describe('an observer', () => {
  it('looks again after it was overtaken: what it saw may be old', async () => {
    const here = world();
    await given(here.runs, run());
    let looks = 0;
    const watcher = observer({
      ...{ name: 'watch-it', watches: ['provisioning'], uses: [], emits: [RequestRefused] },
      decide: () => ({ kind: 'look', target: undefined }) as const,
      look: async () => {
        looks += 1;
        return looks;
      },
      judge: (seen) =>
        conclude(
          RequestRefused.of({
            request: 'watch-it',
            reason: `seen at look ${seen}`,
            requestId: 'q1',
          }),
        ),
    });
    const runs = overtaken(here.runs, () => happens(here.runs, noted));
    await here.settled(execute(watcher, probeEnvelope('provisioning'), { ...here.ports, runs }));
    expect(await here.runs.journal('r1')).toMatchObject([
      {},
      { data: { reason: 'seen at look 2' } },
    ]);
  });
});

describe('a look', () => {
  it('is moved without an event', async () => {
    const { ports, runs } = world();
    const storage = storageIn('queued', { retryAt: later(120) });
    await given(runs, runIn('queued', { storage }), later(0));
    await execute(requestStorage, probeEnvelope('queued'), ports);
    expect([(await runs.look('r1'))?.lookAt, await runs.journal('r1')]).toEqual([later(120), []]);
  });

  it('never lies beyond the deadline', async () => {
    const { ports, runs } = world();
    const storage = storageIn('queued', { retryAt: later(48 * 3600) });
    await given(runs, runIn('queued', { storage }), later(0));
    await execute(requestStorage, probeEnvelope('queued'), ports);
    expect((await runs.look('r1'))?.lookAt).toBe(later(24 * 3600));
  });

  it('says in the log when it is', async () => {
    const { ports, runs, lines } = world();
    const storage = storageIn('queued', { retryAt: later(120) });
    await given(runs, runIn('queued', { storage }), later(0));
    await execute(requestStorage, probeEnvelope('queued'), ports);
    expect(lines).toMatchObject([{ decided: `again at ${later(120)}` }]);
  });

  it('is set by the commit to when the new status must be looked at', async () => {
    const { ports, runs } = creating();
    await given(runs, run());
    await execute(createVolume, probeEnvelope('provisioning'), ports);
    expect(await runs.look('r1')).toMatchObject({ status: 'provisioning', lookAt: later(3) });
  });
});

describe('a look beyond the deadline', () => {
  const now = NOW + 10_000 * 3_600_000;
  const lookAtIn = (status: RunStatus) =>
    Date.parse(lookOf(runIn(status, { retainUntil: later(3600) }), now)?.lookAt ?? '');
  /** Nothing but the deadline makes anybody look at these. */
  const patient: readonly ActiveStatus[] = ['running', 'exporting', 'retained'];
  const others = ACTIVE_STATUSES.filter((status) => !patient.includes(status));

  it.each(others)('is a time ahead where the run is %s for too long', (status) => {
    expect(lookAtIn(status)).toBeGreaterThan(now);
  });

  it.each(patient)('is a time where the run is %s for too long', (status) => {
    expect(lookAtIn(status)).toEqual(expect.any(Number));
  });
});

describe('what an act did', () => {
  it('is recorded once though two deliveries saw the storage gone', async () => {
    const here = world();
    const requestedAt = later(-600);
    await given(
      here.runs,
      runIn('releasing', { storage: storageIn('releasing', { requestedAt }) }),
    );
    const release = async () => ({ kind: 'gone' }) as const;
    const ports = { ...here.ports, volumes: { ...here.ports.volumes, release } };
    const event = probeEnvelope('releasing');
    const other = () => execute(releaseVolume, event, ports);
    const runs = overtaken(here.runs, other);
    await here.settled(execute(releaseVolume, event, { ...ports, runs }));
    expect(await writtenIn(here)).toEqual(['StorageReleased']);
  });

  it('counts for the try it was made for, not for the next one', async () => {
    const here = creating({ ok: false, noRoom: true, reason: 'no capacity' });
    await given(here.runs, run());
    const deferred = StorageDeferred.of({ reason: 'no capacity', retryAt: later(60) });
    const wanted = { kind: 'volume', zone: 'us-east-1b', sizeGib: 500 } as const;
    const anew = () => happens(here.runs, deferred, StorageRequested.of(wanted));
    const runs = overtaken(here.runs, anew);
    await here.settled(
      execute(createVolume, probeEnvelope('provisioning'), { ...here.ports, runs }),
    );
    expect(await here.runs.get('r1')).toMatchObject({
      status: 'provisioning',
      storage: { tries: 2 },
    });
  });
});

describe('a file system for which there is no room', () => {
  const event = (status: RunStatus) => probeEnvelope(status);
  const zones = ['us-east-1a', 'us-east-1b'];
  /** A world whose FSx makes file systems one after the other, and whose first one fails. */
  function crowded(answers: readonly ('failed' | 'refused')[]) {
    const here = world();
    const tokens: string[] = [];
    const there = new Set<string>();
    const calls: string[] = [];
    const fileSystems: Ports['fileSystems'] = {
      ...here.ports.fileSystems,
      async create({ clientToken }) {
        tokens.push(clientToken);
        if (answers[tokens.length - 1] === 'refused') {
          return { ok: false, noRoom: true, reason: 'no capacity' };
        }
        const fileSystemId = `fs-${tokens.length}`;
        there.add(fileSystemId);
        return { ok: true, fileSystemId, mountName: 'abc' };
      },
      inspect: async (ids) =>
        ids.map((fileSystemId) =>
          seenFileSystem({ fileSystemId, lifecycle: 'FAILED', noRoom: true, failure: 'full' }),
        ),
      async discard(id) {
        calls.push(`discard ${id}`);
        return there.delete(id);
      },
      describe: async (ids) =>
        ids.filter((id) => there.has(id)).map((fileSystemId) => seenFileSystem({ fileSystemId })),
    };
    return { ...here, ports: { ...here.ports, fileSystems }, tokens, calls };
  }

  it('is asked for again after a while, in another zone and under another key', async () => {
    const here = crowded(['refused']);
    await given(here.runs, lustreRun({ parameters: { zones } }));
    await execute(createFileSystem, event('provisioning'), here.ports);
    await execute(discardFileSystem, event('queued'), here.ports);
    await passUntil(here, NOW + 60_000);
    await execute(requestStorage, event('queued'), here.ports);
    await execute(createFileSystem, event('provisioning'), here.ports);
    expect([here.tokens, here.calls, await writtenIn(here)]).toEqual([
      ['r1.storage-mjuohs00.1', 'r1.storage-mjuohs00.2'],
      [],
      ['StorageDeferred', 'StorageRequested', 'FileSystemCreated'],
    ]);
  });

  it('but was made, and failed, goes before another one is asked for', async () => {
    const here = crowded(['failed']);
    await given(here.runs, lustreRun({ parameters: { zones } }));
    await execute(createFileSystem, event('provisioning'), here.ports);
    await execute(observeFileSystem, event('provisioning'), here.ports);
    await passUntil(here, NOW + 60_000);
    await execute(requestStorage, event('queued'), here.ports);
    await execute(discardFileSystem, event('queued'), here.ports);
    await execute(requestStorage, event('queued'), here.ports);
    await execute(createFileSystem, event('provisioning'), here.ports);
    expect([here.tokens, here.calls, await writtenIn(here)]).toEqual([
      ['r1.storage-mjuohs00.1', 'r1.storage-mjuohs00.2'],
      ['discard fs-1'],
      [
        ...['FileSystemCreated', 'StorageDeferred', 'StorageDiscarded'],
        ...['StorageRequested', 'FileSystemCreated'],
      ],
    ]);
    expect(await here.runs.get('r1')).toMatchObject({ storage: { id: 'fs-2', tries: 2 } });
  });

  it('and cannot go yet keeps its run waiting', async () => {
    const here = crowded(['failed']);
    const storage = lustreStorageIn('queued', { ...MADE, tries: 2, retryAt: later(0) });
    await given(here.runs, lustreRun({ status: 'queued', parameters: { zones }, storage }));
    const fileSystems = {
      ...here.ports.fileSystems,
      discard: async () => false,
      describe: async () => [seenFileSystem({ fileSystemId: FILE_SYSTEM })],
    };
    await execute(discardFileSystem, event('queued'), { ...here.ports, fileSystems });
    await execute(requestStorage, event('queued'), here.ports);
    expect(here.lines.map(({ decided }) => decided)).toEqual([
      `again at ${later(30)}`,
      'ignored: the storage before is still there',
    ]);
  });
});

const names = fc.oneof(
  fc.constantFrom(...Object.keys(PARAMETERS), '__proto__', 'constructor', 'toString'),
  fc.string({ maxLength: 12 }),
);
const words = fc.constantFrom('main', 'constructor', 'a', 'b', 'onlyEBS', 'us-east-1a', 'release');
const value = fc.oneof(words, fc.jsonValue({ maxDepth: 2 }), fc.integer({ min: -10, max: 9000 }));
const field = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof(arbitrary, arbitrary, value);
const jobs = fc.array(
  fc.record(
    {
      name: field(words),
      command: field(fc.array(fc.string(), { maxLength: 2 })),
      environment: field(fc.dictionary(names, fc.string({ maxLength: 5 }), { maxKeys: 2 })),
      vcpus: field(fc.integer({ min: 0, max: 64 })),
      attempts: field(fc.integer({ min: 0, max: 11 })),
      timeoutSeconds: field(fc.integer({ min: 0, max: 999 })),
      dependsOn: field(fc.array(words, { maxLength: 2 })),
    },
    { requiredKeys: [] },
  ),
  { maxLength: 3 },
);
const request = fc.record(
  {
    runId: field(fc.constantFrom('r1', 'A', 'x'.repeat(41))),
    mode: field(fc.constantFrom('onlyEBS', 'taskExport')),
    parameters: field(fc.dictionary(names, value, { maxKeys: 3 })),
    jobs: field(jobs),
    reason: value,
  },
  { requiredKeys: [] },
);
const anyObject = fc.oneof(request, request, fc.dictionary(names, fc.jsonValue()));
/** What comes over the bus has been JSON: `__proto__` is a field like any other there. */
const detail = anyObject.map((object): unknown => JSON.parse(JSON.stringify(object)));

/** A world in which every act succeeds at once. */
function obliging() {
  const here = world();
  const volumes: Ports['volumes'] = {
    ...here.ports.volumes,
    create: async ({ zone }) => ({ ok: true, volumeId: VOLUME, zone }),
    describe: async () => [{ volumeId: VOLUME, zone: 'us-east-1a', state: 'available' }],
    release: async () => ({ kind: 'gone' }),
    keep: async () => true,
  };
  const jobPort: Ports['jobs'] = {
    submit: async () => ({ ok: true, jobId: 'job-1' }),
    find: async () => undefined,
    describe: async () => [],
    stop: async () => [],
  };
  return { ...here, ports: { ...here.ports, volumes, jobs: jobPort } };
}

describe('a request may be any JSON object whatsoever', () => {
  it('and becomes a run with storage asked for, or one that says why not', async () => {
    await fc.assert(
      fc.asyncProperty(detail, async (asked) => {
        const { ports, runs } = obliging();
        await execute(acceptRun, envelope('RunRequested', asked, 'anybody'), ports);
        const [begun] = runs.all();
        const journal = (await runs.journal(begun?.id ?? '')).map(({ type }) => type);
        const isAccepted = begun?.status === 'provisioning';
        expect(journal).toEqual(isAccepted ? ['RunAccepted', 'StorageRequested'] : ['RunRejected']);
      }),
      { numRuns: 500 },
    );
  });

  it('and, once accepted, no handler throws on its way to its jobs', async () => {
    await fc.assert(
      fc.asyncProperty(detail, async (asked) => {
        const { ports, runs } = obliging();
        await execute(acceptRun, envelope('RunRequested', asked, 'anybody'), ports);
        const statusOf = (): RunStatus => runs.all()[0]?.status ?? 'rejected';
        for (let turns = 0; turns < 4 && statusOf() !== 'rejected'; turns += 1) {
          const status = statusOf();
          for (const handler of HANDLERS.filter(({ watches }) =>
            watches.includes(status as never),
          )) {
            await execute(handler, probeEnvelope(status, runs.all()[0]?.id), ports);
          }
        }
        expect(['rejected', 'running']).toContain(statusOf());
      }),
      { numRuns: 300 },
    );
  });

  it('even one that nests so deep that it would exhaust the stack', async () => {
    const { ports, runs } = world();
    let deep: unknown = {};
    for (let depth = 0; depth < 50_000; depth += 1) deep = { deep };
    await execute(acceptRun, envelope('RunRequested', { runId: 'r1', parameters: deep }), ports);
    expect(await runs.get('r1')).toMatchObject({ status: 'rejected' });
  });

  it('and so may the wish to cancel', async () => {
    await fc.assert(
      fc.asyncProperty(detail, fc.boolean(), async (asked, isNamed) => {
        const { ports, runs } = world();
        await given(runs, runIn('ready'));
        const said = isNamed ? { ...(asked as object), runId: 'r1' } : asked;
        const isOurs = (said as { runId?: unknown }).runId === 'r1';
        // What names another run waits an hour for it, and is nobody's then.
        const time = later(isOurs ? 0 : -3600);
        await execute(cancelRun, { ...envelope('RunCancelRequested', said), time }, ports);
        expect((await runs.get('r1'))?.status).toBe(isOurs ? 'releasing' : 'ready');
      }),
      { numRuns: 300 },
    );
  });
});
