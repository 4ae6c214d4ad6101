import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACTIVE_STATUSES, REQUESTS, RUN_EVENTS, rowOf, STATUSES } from '../../events';
import { HANDLERS, type Handler } from '../../handlers';

const folder = join(__dirname, '..', '..', 'handlers');
const files = readdirSync(folder).flatMap((file) => /^(.*)\.ts$/.exec(file)?.[1] ?? []);
const byName = HANDLERS.map((handler) => [handler.name, handler] as const);
const emittedBy = ({ emits }: Handler) => emits.map(({ type }) => type);

/** Statuses that nothing but their deadline ends yet. To be emptied when exports are written. */
const UNWATCHED = ['exporting'];

/** Events that more than one handler writes, and who does: a new one is a decision, not an accident. */
const SHARED = {
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
    'create-volume',
    'enforce-deadline',
    'find-job',
    'observe-job',
    'observe-volume',
    'release-run',
    'submit-job',
  ],
  RequestRefused: ['accept-run', 'cancel-run', 'release-run', 'resume-run'],
  RunRejected: ['accept-run', 'reject-run'],
  StopRequested: ['cancel-run', 'enforce-deadline', 'observe-volume'],
  StorageFailed: ['create-volume', 'observe-volume'],
  StorageReleased: ['keep-volume', 'release-volume'],
  StorageRequested: ['accept-run', 'request-storage'],
  StorageRetained: ['cancel-run', 'enforce-deadline', 'find-job', 'observe-job', 'submit-job'],
};

describe('the handlers', () => {
  it('are exactly the files of their folder, each under the name of its file', () => {
    const names = HANDLERS.map(({ name }) => name).sort();
    expect(names).toEqual(files.filter((file) => file !== 'index').sort());
  });

  it('watch every active status beyond its deadline, but for those known', () => {
    const unwatched = ACTIVE_STATUSES.filter((status) =>
      HANDLERS.every(
        ({ name, watches }) => name === 'enforce-deadline' || !watches.includes(status),
      ),
    );
    expect(unwatched).toEqual(UNWATCHED);
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
  ])('let %s follow %s at once, without a probe', (handler, type) => {
    expect(HANDLERS.find(({ name }) => name === handler)?.on?.types).toContain(type);
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
