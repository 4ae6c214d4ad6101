import { PRICE_DATE, pricePerHour, type Run, type RunEvent, replay } from '../events';
import { asOnAws, type HostNote, taskName } from '../sim/ledger';
import { dollars, duration } from './format';

/** What a run was, in numbers: times as AWS would show them, in milliseconds. */
export interface Report {
  readonly runId: string;
  readonly status: Run['status'];
  readonly tookMs: number;
  readonly phases: readonly { readonly name: Phase; readonly ms: number }[];
  /** `survived`: those after which the job started again. */
  readonly interruptions: {
    readonly warned: number;
    readonly unwarned: number;
    readonly survived: number;
  };
  /** Work since the last write to storage, where a host went without warning: it is done again. */
  readonly redoneMs: number;
  /** Waits went by so fast that the machine's own milliseconds look like waits. */
  readonly isRough: boolean;
  readonly storage: {
    readonly paidMs: number;
    /** Of that, the time in which no job was at work. */
    readonly idleMs: number;
    readonly pricePerHour: number;
    readonly dollars: number;
    readonly priceDate: string;
  };
}

/** Beyond this, delivering an event takes minutes of the cloud's time. */
const ROUGH_SPEED = 600;

const PHASES = [
  'creating storage',
  'waiting for a host',
  'job at work',
  'exporting to S3',
  'giving storage back',
] as const;
type Phase = (typeof PHASES)[number];

/** Reads a run's journal and what was noted of its hosts into one account. */
export function reportOf(events: readonly RunEvent[], notes: readonly HostNote[]): Report {
  const run = replay(events);
  if (!run) throw new Error('a report needs at least one event');
  const aws = asOnAws(notes);
  const at = ({ time }: { readonly time: string }) => aws(Date.parse(time));
  const phases = phasesOf(events, notes);
  const paid = paidSpan(events);
  const paidMs = paid ? at(paid.to) - at(paid.from) : 0;
  const price = run.storage.zone ? pricePerHour(run) : 0;
  const [first, last] = [events[0], events.at(-1)];
  return {
    runId: run.id,
    status: run.status,
    tookMs: first && last ? at(last) - at(first) : 0,
    phases: PHASES.map((name) => ({ name, ms: phases.get(name) ?? 0 })),
    interruptions: interruptionsOf(notes),
    redoneMs: notes.reduce((sum, { unsavedMs = 0 }) => sum + unsavedMs, 0),
    isRough: notes.some(({ speed }) => speed > ROUGH_SPEED),
    storage: {
      paidMs,
      idleMs: Math.max(0, paidMs - (phases.get('job at work') ?? 0)),
      pricePerHour: price,
      dollars: (paidMs / 3_600_000) * price,
      priceDate: PRICE_DATE,
    },
  };
}

/** The lines of a report for people. */
export function reportLines(report: Report): string[] {
  const { phases, interruptions, redoneMs, storage, isRough } = report;
  const { warned, unwarned, survived } = interruptions;
  const count = warned + unwarned;
  const kinds = `${warned} with warning, ${unwarned} without`;
  const survivors = survived === count ? `${count} survived` : `${count}, ${survived} survived`;
  return [
    ...phases.filter(({ ms }) => ms > 0).map(({ name, ms }) => row(name, duration(ms))),
    row('interruptions', count === 0 ? 'none' : `${survivors}: ${kinds}`),
    ...(count === 0
      ? []
      : [row('work done again', `${duration(redoneMs)}: what was not saved yet`)]),
    row(
      'storage on AWS',
      `${dollars(storage.dollars)} for ${duration(storage.paidMs)} at ${dollars(storage.pricePerHour)}/h, idle for ${duration(storage.idleMs)} of it`,
    ),
    ...(isRough
      ? [row('', 'rough: at this speed every delay of this machine looks like a wait')]
      : []),
  ];
}

export function row(name: string, text: string): string {
  return `  ${name.padEnd(19)}  ${text}`;
}

/** Gives every moment between two facts to what was going on in it. */
function phasesOf(events: readonly RunEvent[], notes: readonly HostNote[]): Map<Phase, number> {
  const aws = asOnAws(notes);
  const works = notes.filter(({ kind }) => kind !== 'noticed');
  const marks = [
    ...events.map(({ time, status }) => ({ at: Date.parse(time), status, working: undefined })),
    ...works.map((note) => ({ at: note.at, status: undefined, working: note })),
  ].sort((a, b) => a.at - b.at);
  const phases = new Map<Phase, number>();
  let status: Run['status'] | undefined;
  const atWork = new Set<string>();
  marks.forEach((mark, index) => {
    status = mark.status ?? status;
    if (mark.working?.kind === 'started') atWork.add(taskName(mark.working));
    else if (mark.working) atWork.delete(taskName(mark.working));
    const next = marks[index + 1];
    const phase = phaseOf(status, atWork.size > 0);
    if (next && phase) phases.set(phase, (phases.get(phase) ?? 0) + aws(next.at) - aws(mark.at));
  });
  return phases;
}

function phaseOf(status: Run['status'] | undefined, isWorking: boolean): Phase | undefined {
  if (isWorking) return 'job at work';
  if (status === 'provisioning') return 'creating storage';
  if (status === 'ready' || status === 'running') return 'waiting for a host';
  if (status === 'exporting') return 'exporting to S3';
  return status === 'releasing' ? 'giving storage back' : undefined;
}

/** From the answer of CreateVolume until the volume was seen gone, or until now. */
function paidSpan(events: readonly RunEvent[]) {
  const from = events.find(({ type }) => type === 'VolumeCreated' || type === 'FileSystemCreated');
  const to = events.find(({ type }) => type === 'StorageReleased') ?? events.at(-1);
  return from && to ? { from, to } : undefined;
}

/** A warned host is noticed first; one that went without warning is only killed. */
function interruptionsOf(notes: readonly HostNote[]): Report['interruptions'] {
  const tasks = [...new Set(notes.map(taskName))];
  const each = tasks.map((name) =>
    taskInterruptions(notes.filter((note) => taskName(note) === name)),
  );
  const sum = (of: (counts: Report['interruptions']) => number) =>
    each.reduce((total, counts) => total + of(counts), 0);
  return {
    warned: sum(({ warned }) => warned),
    unwarned: sum(({ unwarned }) => unwarned),
    survived: sum(({ survived }) => survived),
  };
}

function taskInterruptions(notes: readonly HostNote[]): Report['interruptions'] {
  const isBegun = ({ kind }: HostNote) => kind === 'noticed' || kind === 'killed';
  const first = notes.filter(
    (note, index) =>
      isBegun(note) && !(note.kind === 'killed' && notes[index - 1]?.kind === 'noticed'),
  );
  const warned = first.filter(({ kind }) => kind === 'noticed').length;
  const lastStart = notes.map(({ kind }) => kind).lastIndexOf('started');
  const survived = first.filter((note) => notes.indexOf(note) < lastStart).length;
  return { warned, unwarned: first.length - warned, survived };
}
