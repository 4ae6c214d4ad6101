import type { AnyDraft, ArrayCounts, RunEvent, Verdict } from '../events';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** 00:03:12: time since the beginning of a run. */
export function clockTime(ms: number): string {
  const total = Math.max(0, Math.round(ms / SECOND));
  const parts = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** 6h12m, 4m10s, 9.6s: how long something took. */
export function duration(ms: number): string {
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)}s`;
  const rounded = Math.round(ms / SECOND) * SECOND;
  if (rounded < MINUTE) return `${rounded / SECOND}s`;
  const minutes = Math.floor(rounded / MINUTE);
  if (rounded < HOUR) return `${minutes}m${String((rounded % MINUTE) / SECOND).padStart(2, '0')}s`;
  return `${Math.floor(rounded / HOUR)}h${String(minutes % 60).padStart(2, '0')}m`;
}

/** $0.0164: small amounts keep two digits that say something. */
export function dollars(amount: number): string {
  if (amount >= 1 || amount === 0) return `$${amount.toFixed(2)}`;
  const digits = Math.min(8, Math.max(2, 1 - Math.floor(Math.log10(amount))));
  return `$${amount.toFixed(digits)}`;
}

/** 16.0 MiB: a size as people read it. */
export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** What an event says, in a few words for one line. */
export function words(event: RunEvent): string {
  // What stands in a journal was made by the contracts, so the type names the data.
  const { type, data } = event as unknown as AnyDraft;
  switch (type) {
    case 'RunAccepted':
      return data.jobs.map(({ name }) => name).join(', ');
    case 'StorageRequested':
      return `${data.sizeGib} GiB ${data.kind === 'volume' ? 'gp3' : 'Lustre'} in ${data.zone}`;
    case 'VolumeCreated':
    case 'VolumeAvailable':
      return data.volumeId;
    case 'FileSystemCreated':
    case 'FileSystemAvailable':
      return data.fileSystemId;
    case 'RepositoryLinked':
      return data.direction === 'both' ? `${data.path} ⇄ S3` : `${data.path} ← S3`;
    case 'RepositoryMisconfigured':
      return `${data.path}: ${data.reason}`;
    case 'RepositoryRecovered':
      return data.path;
    case 'StorageDiscarded':
      return data.storageId;
    case 'ExportQueueDrained':
      return 'nothing waits any more';
    case 'ExportTaskCreated':
      return data.taskId;
    case 'ExportTaskCompleted':
      return data.exportedCount === 0
        ? 'nothing was left to export, nothing failed'
        : `${counted(data.exportedCount, 'file')} in S3, none failed`;
    case 'ExportFailed':
      return `${data.reason}${data.report ? `, see ${data.report}` : ''}`;
    case 'JobRequested':
    case 'JobSubmitted':
      return data.submission > 1 ? `${data.job}, submission ${data.submission}` : data.job;
    case 'BatchJobStateChange':
      return jobWords(data);
    case 'JobsStopped':
      return `${data.jobIds.length} told to terminate`;
    case 'StopRequested':
    case 'ReleaseStarted':
    case 'ExportRequested':
      return verdictWords(data.verdict);
    case 'StorageRetained':
      return `until ${data.retainUntil}, ${dollars(data.pricePerHour)}/h: ${reasonOf(data.verdict)}`;
    case 'StorageReleased':
      return data.storageId ? `${data.storageId} deleted` : 'there was none';
    case 'DeadlinePassed':
      return `${data.overdue} since before ${data.deadline}`;
    case 'RequestRefused':
      return `${data.request}: ${data.reason}`;
    default:
      return 'reason' in data ? data.reason : '';
  }
}

function jobWords(data: {
  job: string;
  status: string;
  attempt: number;
  statusReason?: string;
  exitCode?: number;
  counts?: ArrayCounts;
}): string {
  const { job, status, attempt, statusReason, exitCode, counts } = data;
  if (counts && status !== 'FAILED') return `${job} ${status}${countWords(counts)}`;
  const isBegun = status === 'RUNNING' || status === 'STARTING';
  const which = isBegun ? `attempt ${attempt}` : '';
  const isOwn = exitCode !== undefined && exitCode !== 0;
  // A container that was stopped leaves with 143 too, and Batch says who stopped it.
  const isStopped = exitCode === 143 && /terminat|timeout|Ebbtide/i.test(statusReason ?? '');
  const why = isOwn && !isStopped ? exitWords(exitCode) : (statusReason ?? '');
  const said = isBegun || status === 'SUCCEEDED' ? which : why;
  return `${job} ${status}${said ? `  ${said}` : ''}`;
}

/** 1 file, 20 files. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** How far an array is: 12 of 20 tasks done, 8 running. */
function countWords(counts: ArrayCounts): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const { SUCCEEDED = 0, FAILED = 0, RUNNING = 0 } = counts;
  const parts = [
    `${SUCCEEDED} of ${total} tasks done`,
    ...(RUNNING > 0 ? [`${RUNNING} running`] : []),
    ...(FAILED > 0 ? [`${FAILED} failed`] : []),
  ];
  return `  ${parts.join(', ')}`;
}

/** What an exit code means to somebody who has not learnt them by heart. */
function exitWords(exitCode: number): string {
  const known: { readonly [code: number]: string } = {
    126: 'the command cannot be executed',
    127: 'command not found',
    137: 'killed',
    143: 'counts as interrupted',
  };
  const meaning = known[exitCode];
  return `exit code ${exitCode}${meaning ? `: ${meaning}` : ''}`;
}

function verdictWords(verdict: Verdict): string {
  return verdict.kind === 'succeeded' ? 'succeeded' : `${verdict.kind}: ${verdict.reason}`;
}

function reasonOf(verdict: Verdict): string {
  return verdict.kind === 'succeeded' ? '' : verdict.reason;
}

/** One line of a timeline, whatever the event says. */
export function timelineLine(ms: number, event: RunEvent): string {
  const [first = '', ...more] = words(event).split('\n');
  const rest = more.length > 0 ? `  (and ${more.length} more)` : '';
  return `  ${clockTime(ms)}  ${event.type.padEnd(19)}  ${first}${rest}`.trimEnd();
}
