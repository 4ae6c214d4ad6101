import type { Job, Run } from '../../events';
import type { VirtualClock } from '../../sim/clock';

/** When the builders' runs began. Tests count from here. */
export const BEGUN = '2026-01-01T00:00:00.000Z';
export const NOW = Date.parse(BEGUN);

/** Before anything of any test. */
export const EVER = '1970-01-01T00:00:00.000Z';

/** An hour after that. */
export function hourAfter(time: string): string {
  return new Date(Date.parse(time) + 3_600_000).toISOString();
}

/** A moment some seconds after NOW, as the table writes it. */
export function later(seconds: number): string {
  return new Date(NOW + seconds * 1000).toISOString();
}

/** A job nobody has submitted yet. */
export function job(overrides: Partial<Job> = {}): Job {
  return {
    name: 'main',
    image: 'batch-job-with-ebs',
    environment: {},
    vcpus: 32,
    memoryMib: 30_000,
    attempts: 5,
    dependsOn: [],
    status: 'WAITING',
    tries: 1,
    submission: 0,
    submissionsBefore: 0,
    attempt: 0,
    ran: false,
    since: later(0),
    ...overrides,
  };
}

/** A run on a volume that was asked for a moment ago, with one job. */
export function run(overrides: Partial<Run> = {}): Run {
  return {
    id: 'r1',
    mode: 'onlyEBS',
    status: 'provisioning',
    seq: 2,
    since: later(0),
    acceptedAt: later(0),
    fingerprint: '00000000000000',
    parameters: {},
    results: { bucket: 'results', prefix: 'runs/r1/' },
    storage: {
      kind: 'volume',
      zone: 'us-east-1a',
      sizeGib: 500,
      tries: 1,
      requestedAt: later(0),
    },
    jobs: { main: job() },
    ...overrides,
  };
}

/** The id of the file system of a run that has one. */
export const FILE_SYSTEM = 'fs-0123456789abcdef0';

/** A run on a file system that was asked for a moment ago, with one job. */
export function lustreRun(overrides: Partial<Run> = {}): Run {
  const storage = { kind: 'fileSystem', zone: 'us-east-1a', sizeGib: 2400, tries: 1 } as const;
  return run({
    mode: 'taskExport',
    storage: { ...storage, requestedAt: later(0) },
    ...overrides,
  });
}

/** Moves a clock that stands still: everything that is due by then happens. */
export async function advance(clock: VirtualClock, ms: number): Promise<void> {
  let isThere = false;
  clock.at(clock.now() + ms, () => {
    isThere = true;
  });
  await clock.runUntil(() => isThere, 100_000);
}
