import { PRICE_DATE, pricePerHour, type Run, type RunEvent, replay } from '../events';
import { asOnAws, type HostNote } from '../sim/ledger';
import { dollars, duration } from './format';

/** What a run was, in numbers: times as AWS would show them, in milliseconds. */
export interface Report {
  readonly runId: string;
  readonly status: Run['status'];
  readonly tookMs: number;
  readonly phases: readonly { readonly name: Phase; readonly ms: number }[];
  readonly interruptions: { readonly warned: number; readonly unwarned: number };
  /** Work since the last write to storage, where a host went without warning: it is done again. */
  readonly redoneMs: number;
  readonly storage: {
    readonly paidMs: number;
    /** Of that, the time in which no job was at work. */
    readonly idleMs: number;
    readonly pricePerHour: number;
    readonly dollars: number;
    readonly priceDate: string;
  };
}

export const PHASES = [
  'creating storage',
  'waiting for a host',
  'job at work',
  'giving storage back',
] as const;
export type Phase = (typeof PHASES)[number];

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
  const { phases, interruptions, redoneMs, storage } = report;
  const survived = interruptions.warned + interruptions.unwarned;
  const kinds = `${interruptions.warned} with warning, ${interruptions.unwarned} without`;
  return [
    ...phases.filter(({ ms }) => ms > 0).map(({ name, ms }) => row(name, duration(ms))),
    row('interruptions', survived === 0 ? 'none' : `${survived} survived: ${kinds}`),
    ...(survived === 0 ? [] : [row('work done again', duration(redoneMs))]),
    row(
      'storage on AWS',
      `${dollars(storage.dollars)} for ${duration(storage.paidMs)} at ${dollars(storage.pricePerHour)}/h, idle for ${duration(storage.idleMs)} of it`,
    ),
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
    ...works.map(({ at, kind }) => ({ at, status: undefined, working: kind === 'started' })),
  ].sort((a, b) => a.at - b.at);
  const phases = new Map<Phase, number>();
  let status: Run['status'] | undefined;
  let isWorking = false;
  marks.forEach((mark, index) => {
    status = mark.status ?? status;
    isWorking = mark.working ?? isWorking;
    const next = marks[index + 1];
    const phase = phaseOf(status, isWorking);
    if (next && phase) phases.set(phase, (phases.get(phase) ?? 0) + aws(next.at) - aws(mark.at));
  });
  return phases;
}

function phaseOf(status: Run['status'] | undefined, isWorking: boolean): Phase | undefined {
  if (isWorking) return 'job at work';
  if (status === 'provisioning') return 'creating storage';
  if (status === 'ready' || status === 'running') return 'waiting for a host';
  return status === 'releasing' ? 'giving storage back' : undefined;
}

/** From the answer of CreateVolume until the volume was seen gone, or until now. */
function paidSpan(events: readonly RunEvent[]) {
  const from = events.find(({ type }) => type === 'VolumeCreated' || type === 'FileSystemCreated');
  const to = events.find(({ type }) => type === 'StorageReleased') ?? events.at(-1);
  return from && to ? { from, to } : undefined;
}

/** A warned host is noticed first; one that went without warning is only killed. */
function interruptionsOf(notes: readonly HostNote[]) {
  const warned = notes.filter(({ kind }) => kind === 'noticed').length;
  const killed = notes.filter(({ kind }) => kind === 'killed').length;
  const both = notes.filter(
    ({ kind }, index) => kind === 'killed' && notes[index - 1]?.kind === 'noticed',
  );
  return { warned, unwarned: killed - both.length };
}
