import * as z from 'zod';
import { MODES, Mode, RunId } from '../contract';
import { fingerprint, isWithin } from '../fingerprint';
import type { JobSpec } from '../jobs';
import { badCause, causeOf, RequestedCause } from './causes';
import { definitionOf, PARAMETERS, type RunParameters } from './definitions';
import type { Parameter } from './kinds';
import { type Layer, resolve } from './layers';
import { REQUEST_LIMITS as LIMITS } from './limits';
import { badPlaces, RUNS_PREFIX } from './places';
import { JOBS_MAX, RequestedJob, readJobs } from './read-jobs';
import { fieldsOf, nearest, shown } from './words';

/**
 * What a request may say, with every limit: for people and their editors. The judge below accepts
 * any object, and says in sentences what this says in a schema.
 */
export const RequestedRun = z.object({
  runId: RunId.optional(),
  mode: Mode.optional(),
  parameters: z.object(requestedParameters()).optional(),
  jobs: z.array(RequestedJob).min(1).max(JOBS_MAX).optional(),
  cause: RequestedCause.optional(),
});

function requestedParameters() {
  const all: [string, Parameter<unknown>][] = Object.entries(PARAMETERS);
  const runs = all.filter(([, { layer }]) => layer === 'run');
  return Object.fromEntries(
    runs.map(([name, { schema, about }]) => [name, schema.optional().describe(about)]),
  );
}

/** What a stack brings to every request: its modes, their layers below the request, its places. */
export interface Settings {
  readonly modes: readonly [Mode, ...Mode[]];
  /** Below the request, in order: cdk.json's section, then the secret. */
  readonly layers: { readonly [mode in Mode]?: readonly Layer[] };
  /** The stack's own image repository for a mode. */
  readonly repositories: { readonly [mode in Mode]?: string };
  readonly resultsBucket: string;
  /** The bucket whose uploads are requests or start runs; absent where the stack has none. */
  readonly intakeBucket?: string;
  readonly zones: readonly [string, ...string[]];
}

/** A request that can become a run. */
export interface Wanted {
  readonly mode: Mode;
  readonly parameters: RunParameters;
  /** The layer that each value came from, by the parameter's name; none for a default. */
  readonly sources: { readonly [name: string]: string };
  readonly jobs: readonly JobSpec[];
  readonly results: { readonly bucket: string; readonly prefix: string };
  readonly fingerprint: string;
}

export type Judgement =
  | { readonly ok: true; readonly wanted: Wanted }
  | { readonly ok: false; readonly mode: Mode; readonly reason: string };

const REASONS_MAX = 8;
const REASON_CHARS_MAX = 1450;
const FIELDS = Object.keys(RequestedRun.shape);

/**
 * Judges a RunRequested: any JSON object is legal input. Gives the run it asks for, or one text
 * that says everything that is wrong with it and what would be right, a line each. Never throws.
 */
export function readRequest(runId: string, detail: unknown, settings: Settings): Judgement {
  const body = fieldsOf(detail) ?? {};
  const mode = modeOf(body, settings);
  const refuse = (reasons: readonly string[]): Judgement => ({
    ok: false,
    mode: settings.modes.find((each) => each === mode) ?? settings.modes[0],
    reason: joined(reasons),
  });

  if (!fieldsOf(detail)) return refuse([`a request must be a JSON object, got ${shown(detail)}`]);
  if (!isWithin(body, LIMITS)) {
    return refuse([
      `a request may have ${LIMITS.characters} characters and nest ${LIMITS.depth} deep, and this one goes beyond: put data into S3 and name its place`,
    ]);
  }
  const reasons = [
    ...strangers(body),
    ...badId(body.runId),
    ...badCause(body.cause, settings.intakeBucket),
  ];
  const unreadable = unreadableOf(body);
  if (unreadable && reasons.length === 0) return refuse([unreadable]);
  if (!mode || !settings.modes.includes(mode)) {
    const wanted = settings.modes.join(', ');
    const got = body.mode === undefined ? 'and the request names none' : `got ${shown(body.mode)}`;
    return refuse([...reasons, `mode must be one of ${wanted}, ${got}`]);
  }

  const results = { bucket: settings.resultsBucket, prefix: `${RUNS_PREFIX}${runId}/` };
  const { reasons: wrong, ...content } = contentOf(body, mode, settings);
  reasons.push(...wrong);
  reasons.push(
    ...badPlaces(content.parameters, `s3://${results.bucket}/${results.prefix}`, settings),
  );
  if (reasons.length > 0) return refuse(reasons);
  return { ok: true, wanted: { mode, ...content, results, fingerprint: fingerprintOf(body) } };
}

/** Why the upload that a request came from is none, where somebody has looked and found so. */
function unreadableOf(body: object): string | undefined {
  const cause = causeOf(body);
  return cause && 'upload' in cause ? cause.upload.unreadable : undefined;
}

interface Content extends Pick<Wanted, 'parameters' | 'sources' | 'jobs'> {
  readonly reasons: readonly string[];
}

/** The parameters of all layers, and the jobs that hang on them. */
function contentOf(
  body: { readonly parameters?: unknown; readonly jobs?: unknown },
  mode: Mode,
  settings: Settings,
): Content {
  const values = fieldsOf(body.parameters ?? {});
  if (!values) {
    const rule = 'parameters must be an object of names and values';
    const reasons = [`${rule}, got ${shown(body.parameters)}`];
    return { parameters: {}, sources: {}, jobs: [], reasons };
  }
  const request = { name: 'the request', deploys: false, values };
  const resolved = resolve(mode, [...(settings.layers[mode] ?? []), request]);
  const { parameters } = resolved;
  const zones = [...(parameters.zones ?? settings.zones)];
  const repository = settings.repositories[mode] ?? '';
  const jobs = readJobs(body.jobs, { mode, parameters, repository });
  return {
    parameters: { ...ofRuns(parameters), zones },
    sources: ofRuns(resolved.sources),
    jobs: jobs.specs,
    reasons: [...resolved.reasons, ...badZone(parameters.zone, zones), ...jobs.reasons],
  };
}

/** What was set when deploying is the stack's own affair: no run carries it around. */
function ofRuns<Values extends object>(values: Values): Values {
  const own = Object.entries(values).filter(([name]) => definitionOf(name)?.layer === 'run');
  // Every parameter is optional, so what is left is of the same type.
  return Object.fromEntries(own) as Values;
}

/** What tells a request from another one under the same id: everything but the id, and where it came from. */
export function fingerprintOf(detail: unknown): string {
  const { runId: _, cause: __, ...fields } = fieldsOf(detail) ?? {};
  const content = fieldsOf(detail) ? fields : detail;
  return isWithin(content, LIMITS) ? fingerprint(content) : 'too large';
}

function modeOf(body: { readonly mode?: unknown }, { modes }: Settings): Mode | undefined {
  if (body.mode === undefined) return modes.length === 1 ? modes[0] : undefined;
  return MODES.find((mode) => mode === body.mode);
}

function strangers(body: { readonly [field: string]: unknown }): string[] {
  return Object.keys(body)
    .filter((field) => !FIELDS.includes(field))
    .map((field) => {
      const right = nearest(field, FIELDS);
      return `a request has no field ${shown(field)}${right ? `; did you mean ${right}?` : ''}`;
    });
}

function badId(runId: unknown): string[] {
  if (runId === undefined || RunId.safeParse(runId).success) return [];
  return [`runId must be 1 to 40 of a-z, 0-9 and dash, got ${shown(runId)}`];
}

function badZone(zone: string | undefined, zones: readonly string[]): string[] {
  if (zone === undefined || zones.includes(zone)) return [];
  return [`zone must be one of ${zones.join(', ')}, got ${shown(zone)}`];
}

/** A reason a line, as many as fit, and how many more there are. */
function joined(reasons: readonly string[]): string {
  const lines: string[] = [];
  let characters = 0;
  for (const reason of reasons) {
    characters += reason.length + 1;
    if (lines.length > 0 && (characters > REASON_CHARS_MAX || lines.length === REASONS_MAX)) break;
    lines.push(reason.slice(0, REASON_CHARS_MAX));
  }
  const more = reasons.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}
