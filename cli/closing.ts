import { relative } from 'node:path';
import { pricePerHour, type Run } from '../events';
import type { Home } from '../sim/home';
import { logOf } from '../sim/processes';
import { dollars, size } from './format';
import type { Io, Style } from './io';
import { hint } from './local-settings';
import { type Report, reportLines, row } from './report';
import type { Results } from './results';
import { lastLines } from './tail';

interface Closing {
  readonly run: Run;
  readonly report: Report;
  readonly results: Results;
  readonly note?: string;
  readonly warnings: readonly string[];
  readonly home: Home;
  readonly io: Io;
}

const COLOURS: { readonly [status in Run['status']]?: Style } = {
  succeeded: 'green',
  failed: 'red',
  rejected: 'red',
  retained: 'yellow',
  cancelled: 'yellow',
};
const LINES_SHOWN = 5;

/** The last screen: how it ended in one sentence, what it was in numbers, where things are, what to do. */
export function closing({ run, report, results, note, warnings, home, io }: Closing): string[] {
  const title = io.style(COLOURS[run.status] ?? 'bold', `${run.id} ${run.status}`);
  const [said = '', ...more] = (note ? capital(note) : sentence(run, results)).split('\n');
  const head = ['', `${title}  ${said}`, ...more.map((line) => `  ${line}`)];
  if (run.status === 'rejected' || note) return [...head, '', ...advice(run, results, home)];
  return [
    ...head,
    '',
    ...reportLines(report),
    ...resultLines(results),
    ...logLines(run, home, io),
    '',
    ...warnings.map((warning) => io.style('yellow', warning)),
    ...advice(run, results, home),
  ];
}

function sentence(run: Run, { verdict }: Results): string {
  const { verdict: end } = run;
  if (run.status === 'succeeded') {
    if (verdict.kind === 'right' && verdict.files > 1) {
      return `The results of ${verdict.files} tasks are in the bucket, right byte for byte.`;
    }
    if (verdict.kind === 'right') return 'The result is in the bucket, right byte for byte.';
    if (verdict.kind === 'wrong') return `But the result is wrong: ${verdict.reason}.`;
    return Object.keys(run.jobs).length > 1
      ? 'Its jobs said they were finished.'
      : 'The job said it was finished.';
  }
  if (!end || end.kind === 'succeeded') return '';
  const isGone = run.status === 'failed' && run.storage.over === 'released';
  if (run.status === 'rejected') return end.reason;
  return `${capital(end.reason)}.${isGone ? ' Its storage was given back.' : ''}`;
}

/** The first of them are enough to know where the others are. */
const RESULTS_SHOWN = 5;

function resultLines({ objects, verdict }: Results): string[] {
  const sha256 = verdict.kind === 'right' ? verdict.sha256 : undefined;
  const check = sha256 ? `, sha256 ${sha256.slice(0, 8)}…` : '';
  const lines = objects
    .slice(0, RESULTS_SHOWN)
    .map(({ path, bytes }) => `${near(path)}  (${size(bytes)}${check})`);
  const more = objects.slice(RESULTS_SHOWN);
  const bytes = more.reduce((sum, object) => sum + object.bytes, 0);
  if (more.length > 0) lines.push(`and ${more.length} more (${size(bytes)})`);
  return lines.map((line, index) => row(index === 0 ? 'results' : '', line));
}

/** Where the output of the last job lies, and what it said last if that was no good. */
function logLines(run: Run, home: Home, io: Io): string[] {
  const jobs = Object.values(run.jobs).filter(({ logStream }) => logStream);
  const job = jobs.find(({ status }) => status === 'FAILED') ?? jobs.at(-1);
  const array = Object.values(run.jobs).find(({ arraySize, jobId }) => arraySize && jobId);
  if (!job && array)
    return [row('output', `${near(home.logs)}/${array.jobId}:<task>/<attempt>.log`)];
  if (!job?.logStream) return [];
  const path = logOf(home, job.logStream);
  const said = job.status === 'FAILED' ? lastLines(path, LINES_SHOWN) : [];
  return [row('output', near(path)), ...said.map((line) => io.style('dim', `    | ${line}`))];
}

/** What to type next. */
function advice(run: Run, results: Results, home: Home): string[] {
  const show = `See it again: ${hint(`show ${run.id}`, home)}`;
  const data = near(home.dataOf(run.storage.id ?? 'none'));
  if (run.status === 'rejected') {
    return [
      'Nothing was created. Correct what is named above and send the request again, under another runId if it names one.',
    ];
  }
  if (run.status === 'retained') {
    return [
      `Its storage is kept until ${(run.retainUntil ?? '').slice(0, 16).replace('T', ' ')} UTC, so nothing is lost. On AWS that would cost ${dollars(retentionPrice(run))}.`,
      `Look at ${data}, mend what was wrong, and go on with it, by the same command: ${hint(`resume ${run.id}`, home)}`,
      `Or give it up: ${hint(`release ${run.id} --discard`, home)}`,
    ];
  }
  if (run.storage.over === 'kept') {
    return [
      `Its storage is yours now, as the run asked: ${data}. On AWS it costs until you delete it.`,
      show,
    ];
  }
  if (run.status === 'succeeded' && run.mode !== 'onlyEBS' && results.objects.length === 0) {
    return ['The job left nothing in its storage directory, so nothing was exported.', show];
  }
  if (run.status === 'succeeded' && results.objects.length === 0) {
    return [
      'The job copied nothing to its bucket, and its volume is gone: whatever was only there is lost.',
      'Let it copy: aws s3 cp FILE s3://$S3_BUCKET_NAME/$EBBTIDE_RESULTS_PREFIX',
    ];
  }
  return [show];
}

/** What it costs to keep the storage until its time is over. */
function retentionPrice(run: Run): number {
  const { retainUntil, since } = run;
  const hours = (Date.parse(retainUntil ?? since) - Date.parse(since)) / 3_600_000;
  return hours * pricePerHour(run);
}

/** A path as one would type it from here. */
function near(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
