import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACTIVE_STATUSES, REQUESTS, RUN_EVENTS, rowOf, STATUSES } from '../../events';
import { HANDLERS, type Handler } from '../../handlers';

const folder = join(__dirname, '..', '..', 'handlers');
const files = readdirSync(folder).flatMap((file) => /^(.*)\.ts$/.exec(file)?.[1] ?? []);
const byName = HANDLERS.map((handler) => [handler.name, handler] as const);
const emittedBy = ({ emits }: Handler) => emits.map(({ type }) => type);

/** Who is woken by a probe of a status, beside the deadline: nobody here means that nothing but time leads on. */
const WATCHERS = {
  queued: ['discard-file-system', 'request-storage'],
  provisioning: [
    'create-file-system',
    'create-volume',
    'link-repository',
    'observe-file-system',
    'observe-volume',
  ],
  ready: ['observe-file-system', 'observe-volume', 'request-job'],
  running: [
    'find-job',
    'observe-file-system',
    'observe-job',
    'observe-volume',
    'request-job',
    'stop-jobs',
    'submit-job',
  ],
  exporting: [
    'create-export-task',
    'disable-auto-export',
    'observe-export',
    'observe-export-queue',
    'observe-file-system',
    'stop-jobs',
  ],
  releasing: [
    'finish-run',
    'keep-file-system',
    'keep-volume',
    'release-file-system',
    'release-volume',
    'stop-jobs',
  ],
  retained: ['observe-file-system', 'observe-job', 'observe-volume', 'stop-jobs'],
};

/** The sources below a folder, by their path from there. */
function sourcesIn(root: string): [string, string][] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const paths = names.filter((name) => name.endsWith('.ts')).sort();
  return paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]);
}

/** Events that more than one handler writes, and who does: a new one is a decision, not an accident. */
const SHARED = {
  AutoExportDisabled: ['disable-auto-export', 'observe-export-queue'],
  ExportFailed: [
    'create-export-task',
    'disable-auto-export',
    'observe-export',
    'observe-export-queue',
  ],
  ExportRequested: [
    'cancel-run',
    'enforce-deadline',
    'find-job',
    'observe-job',
    'resume-run',
    'submit-job',
  ],
  JobRefused: ['find-job', 'submit-job'],
  JobSubmitted: ['find-job', 'submit-job'],
  ReleaseStarted: [
    'cancel-run',
    'create-file-system',
    'create-volume',
    'enforce-deadline',
    'find-job',
    'link-repository',
    'observe-export',
    'observe-export-queue',
    'observe-file-system',
    'observe-job',
    'observe-volume',
    'release-run',
    'submit-job',
  ],
  RepositoryMisconfigured: ['observe-export-queue', 'observe-file-system'],
  RepositoryRecovered: ['observe-export-queue', 'observe-file-system'],
  RequestRefused: ['accept-run', 'cancel-run', 'release-run', 'resume-run'],
  RunRejected: ['accept-run', 'reject-run'],
  StopRequested: ['cancel-run', 'enforce-deadline', 'observe-file-system', 'observe-volume'],
  StorageDeferred: [
    'create-file-system',
    'create-volume',
    'link-repository',
    'observe-file-system',
  ],
  StorageFailed: [
    'create-file-system',
    'create-volume',
    'link-repository',
    'observe-file-system',
    'observe-volume',
  ],
  StorageKept: ['keep-file-system', 'keep-volume'],
  StorageLost: ['observe-file-system', 'observe-volume'],
  StorageReleased: ['keep-file-system', 'keep-volume', 'release-file-system', 'release-volume'],
  StorageRequested: ['accept-run', 'request-storage'],
  StorageRetained: [
    'cancel-run',
    'create-export-task',
    'disable-auto-export',
    'enforce-deadline',
    'find-job',
    'observe-export',
    'observe-export-queue',
    'observe-job',
    'submit-job',
  ],
};

describe('the handlers', () => {
  it('are exactly the files of their folder, each under the name of its file', () => {
    const names = HANDLERS.map(({ name }) => name).sort();
    expect(names).toEqual(files.filter((file) => file !== 'index').sort());
  });

  it('watch every active status beyond its deadline, and these do', () => {
    const watchers = ACTIVE_STATUSES.map((status) => [
      status,
      HANDLERS.filter(({ watches }) => watches.includes(status))
        .map(({ name }) => name)
        .filter((name) => name !== 'enforce-deadline')
        .sort(),
    ]);
    expect(Object.fromEntries(watchers)).toEqual(WATCHERS);
    expect(watchers.filter(([, names]) => names?.length === 0)).toEqual([]);
  });

  it('have a deadline for every active status', () => {
    const deadline = HANDLERS.find(({ name }) => name === 'enforce-deadline');
    expect(deadline?.watches).toEqual(ACTIVE_STATUSES);
  });

  it('share the writing of these events and of no others', () => {
    const writers = Object.keys(RUN_EVENTS).map((type) => [
      type,
      HANDLERS.filter((handler) => emittedBy(handler).includes(type))
        .map(({ name }) => name)
        .sort(),
    ]);
    expect(Object.fromEntries(writers.filter(([, names]) => (names?.length ?? 0) > 1))).toEqual(
      SHARED,
    );
  });

  it('answer every request, each in one place', () => {
    const answering = Object.keys(REQUESTS).map((type) => [
      type,
      HANDLERS.filter(({ on }) => on?.types.includes(type)).map(({ name }) => name),
    ]);
    expect(Object.fromEntries(answering)).toEqual({
      RunRequested: ['accept-run'],
      RunCancelRequested: ['cancel-run'],
      RunResumeRequested: ['resume-run'],
      RunReleaseRequested: ['release-run'],
    });
  });

  it.each([
    ['request-job', 'VolumeAvailable'],
    ['request-job', 'FileSystemAvailable'],
    ['request-job', 'JobSubmitted'],
    ['request-job', 'BatchJobStateChange'],
    ['request-job', 'RunResumed'],
    ['submit-job', 'JobRequested'],
    ['find-job', 'JobDoubted'],
    ['find-job', 'StopRequested'],
    ['stop-jobs', 'StopRequested'],
    ['stop-jobs', 'JobSubmitted'],
    ['stop-jobs', 'ExportRequested'],
    ['stop-jobs', 'ReleaseStarted'],
    ['stop-jobs', 'StorageRetained'],
    ['create-file-system', 'StorageRequested'],
    ['link-repository', 'FileSystemCreated'],
    ['link-repository', 'RepositoryLinked'],
    ['discard-file-system', 'StorageDeferred'],
    ['request-storage', 'StorageDiscarded'],
    ['disable-auto-export', 'ExportQueueDrained'],
    ['create-export-task', 'ExportRequested'],
    ['create-export-task', 'AutoExportDisabled'],
    ['release-file-system', 'ReleaseStarted'],
    ['keep-file-system', 'ReleaseStarted'],
    ['finish-run', 'StorageKept'],
  ])('let %s follow %s at once, without a probe', (handler, type) => {
    expect(HANDLERS.find(({ name }) => name === handler)?.on?.types).toContain(type);
  });

  it('release the storage of an export in two places only, but for its loss', () => {
    // The deadline of an export leads to its retention: `enforce-deadline` releases elsewhere.
    const ends = HANDLERS.filter(
      (handler) =>
        handler.name !== 'enforce-deadline' &&
        handler.watches.includes('exporting') &&
        emittedBy(handler).includes('ReleaseStarted') &&
        !emittedBy(handler).includes('StorageLost'),
    );
    expect(ends.map(({ name }) => name)).toEqual(['observe-export-queue', 'observe-export']);
  });

  it('write runs in one place, and put run events on the bus in one place', () => {
    const sources = sourcesIn(folder).filter(([path]) => !path.endsWith('ports.ts'));
    const calling = (call: RegExp) =>
      sources.filter(([, text]) => call.test(text)).map(([path]) => path);
    expect(calling(/\bcommit\(/)).toEqual(['lib/execute.ts']);
    // The others put probes and requests there, which are no facts about a run.
    expect(calling(/\bbus\b.*\.put\(|\bbus\.put\(/)).toEqual([
      'feeders/publish-events.ts',
      'feeders/read-upload.ts',
      'feeders/send-probes.ts',
      'feeders/sweep.ts',
    ]);
  });

  it('begin a run in two places only', () => {
    expect(HANDLERS.filter(({ begins }) => begins).map(({ name }) => name)).toEqual([
      'accept-run',
      'reject-run',
    ]);
  });
});

describe.each(byName)('%s', (name, handler) => {
  it('has at most 80 lines', () => {
    const path = join(__dirname, '..', '..', 'handlers', `${name}.ts`);
    expect(readFileSync(path, 'utf8').split('\n').length - 1).toBeLessThanOrEqual(80);
  });

  it('can be woken', () => {
    expect(handler.on !== undefined || handler.watches.length > 0).toBe(true);
  });

  it('writes events of the journal only, each once', () => {
    const types = emittedBy(handler);
    expect(types.filter((type) => !Object.hasOwn(RUN_EVENTS, type))).toEqual([]);
    expect(new Set(types).size).toBe(types.length);
  });

  it('writes only what the table allows from where it acts', () => {
    const acts = handler.watches.length > 0 ? handler.watches : STATUSES;
    const impossible = emittedBy(handler).filter((type) => {
      const { from } = rowOf(type);
      return from.length === 0
        ? !handler.begins
        : !from.some((each) => acts.includes(each as never));
    });
    expect(impossible).toEqual([]);
  });

  it('can move a run out of every status it watches, or act in it', () => {
    const idle = handler.watches.filter(
      (status) => !emittedBy(handler).some((type) => rowOf(type).from.includes(status)),
    );
    expect(idle).toEqual([]);
  });
});
