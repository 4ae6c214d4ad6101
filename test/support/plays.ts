import { deadlineOf, isLast, type Mode, type Run } from '../../events';
import type { Cloud } from '../../sim/cloud';
import type { Task } from '../../sim/hosts';
import {
  type Scenario,
  type Simulated,
  settingsOf,
  simulate,
  type World,
} from '../../sim/simulator';
import type { Workload } from '../../sim/workload';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** The ways a run may go: a mode, and what proves its export. */
export interface Way {
  readonly way: string;
  readonly mode: Mode;
  readonly parameters?: object;
}

/** The ways of a file system. */
export const LUSTRE_WAYS: readonly Way[] = [
  { way: 'taskExport', mode: 'taskExport' },
  { way: 'autoExport', mode: 'autoExport' },
  {
    way: 'autoExport with exportProof metrics',
    mode: 'autoExport',
    parameters: { exportProof: 'metrics' },
  },
];
/** Those in which a task proves the export. */
export const PROVEN_WAYS = LUSTRE_WAYS.slice(0, 2);
/** One way of each mode. */
export const MODE_WAYS: readonly Way[] = [...PROVEN_WAYS, { way: 'onlyEBS', mode: 'onlyEBS' }];

/** A warned interruption, and one without a word. */
export const INTERRUPTIONS = [
  { afterMs: 15 * MINUTE_MS, noticeMs: 120_000 },
  { afterMs: 1_000_000, noticeMs: 0 },
];

/** An hour of work, saved every five minutes. */
export const WORK: Workload = { workMs: HOUR_MS, checkpointMs: 5 * MINUTE_MS };

/** A simulation, and the runs that somebody should have looked at by then. */
export interface Played extends Simulated {
  /** `<run> was <status> past its deadline`, once for each. */
  readonly late: readonly string[];
}

/** The sweep comes each minute for what is a minute overdue; then an event has to travel. */
const NOTICED_WITHIN_MS = 2.5 * MINUTE_MS;

/** Plays a scenario, one run named r1 of this way by default, and watches the deadlines every minute. */
export async function play(
  { mode, parameters }: Pick<Way, 'mode' | 'parameters'>,
  { jobs, wants, ...scenario }: Partial<Scenario> & Asked = {},
): Promise<Played> {
  const late = new Set<string>();
  const request = { runId: 'r1', mode, parameters: { ...parameters, ...wants }, jobs };
  const simulated = await simulate({
    seed: 1,
    requests: [JSON.parse(JSON.stringify(request))],
    settings: settingsOf('taskExport', 'autoExport', 'onlyEBS'),
    ...scenario,
    prepare(cloud, world) {
      watchDeadlines(cloud, world, late);
      scenario.prepare?.(cloud, world);
    },
  });
  return { ...simulated, late: [...late] };
}

interface Asked {
  /** The jobs of the one request. */
  readonly jobs?: readonly object[];
  /** Parameters of the one request. */
  readonly wants?: object;
}

/** Notes each run that nobody looked at in time. */
export function watchDeadlines(
  { runs }: Cloud,
  { clock }: Pick<World, 'clock'>,
  late: Set<string>,
): void {
  const look = () => {
    for (const run of runs.all().filter((each) => isLate(each, clock.now()))) {
      late.add(`${run.id} was ${run.status} past its deadline`);
    }
    clock.at(clock.now() + MINUTE_MS, look);
  };
  look();
}

/** A release that has rung its alarm goes on until AWS lets go. */
function isLate(run: Run, now: number): boolean {
  if (isLast(run.status) || (run.status === 'releasing' && run.overdue)) return false;
  return now > deadlineOf(run) + NOTICED_WITHIN_MS;
}

/** Calls back once, so long after the run has first come into this status. */
export function onceIn(
  status: Run['status'],
  { cloud, world, afterMs = 0 }: { cloud: Cloud; world: World; afterMs?: number },
  act: (run: Run) => void,
): void {
  let isDone = false;
  cloud.runs.onRecord((record) => {
    if (isDone || record.kind !== 'event' || record.event.status !== status) return;
    isDone = true;
    const { runId } = record.event;
    world.clock.at(world.clock.now() + afterMs, () => {
      const run = cloud.runs.all().find(({ id }) => id === runId);
      if (run) act(run);
    });
  });
}

/** The file system that a task runs on. */
export function fileSystemOf({ wanted }: Task): string {
  return wanted.storage.split('@')[0] ?? '';
}

/** How many containers ran at the same time, at the most. */
export function atOnceMax({ facts }: Pick<World, 'facts'>): number {
  let now = 0;
  let most = 0;
  for (const { kind } of facts) {
    if (kind === 'started') now += 1;
    if (kind === 'ended') now -= 1;
    most = Math.max(most, now);
  }
  return most;
}
