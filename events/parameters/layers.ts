import type { Mode } from '../contract';
import { definitionOf, PARAMETERS, type ParameterName, type RunParameters } from './definitions';
import { issuesOf } from './issues';
import type { Parameter } from './kinds';
import { nearest, shown } from './words';

/** Values of parameters from one place. Later layers win. */
export interface Layer {
  /** How a sentence names the place: `cdk.json`, `the request`. */
  readonly name: string;
  /** Whether parameters of the deployment may stand here, or only those of a run. */
  readonly deploys: boolean;
  readonly values: { readonly [name: string]: unknown };
  /** Why the place could not be read: then nothing may run on the values of the others alone. */
  readonly problem?: string;
}

/** What the layers say together, and every reason why they cannot be used. */
export interface Resolved {
  readonly parameters: RunParameters;
  /** The layer that each value came from, by the parameter's name; none for a default. */
  readonly sources: { readonly [name: string]: string };
  readonly reasons: readonly string[];
}

/** Lays the layers over the defaults of a mode. Reports everything that is wrong, not the first. */
export function resolve(mode: Mode, layers: readonly Layer[]): Resolved {
  const reasons = layers.flatMap((layer) => complaints(mode, layer));
  const parameters: RunParameters = Object.assign(
    defaultsOf(mode),
    ...layers.map(({ values }) => legal(values)),
  );
  return {
    parameters,
    sources: sourcesOf(parameters, layers),
    reasons: reasons.length > 0 ? reasons : conflicts(mode, parameters),
  };
}

/** The last layer that named each value, even where it says the same as the default. */
function sourcesOf(parameters: RunParameters, layers: readonly Layer[]): Resolved['sources'] {
  return Object.fromEntries(
    Object.keys(parameters).flatMap((name) => {
      const layer = layers.findLast(({ values }) => Object.hasOwn(legal(values), name));
      return layer ? [[name, layer.name]] : [];
    }),
  );
}

/** The values that are good by themselves: what hangs on them can be judged although others are not. */
function legal(values: Layer['values']): RunParameters {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => definitionOf(name)?.schema.safeParse(value).success,
    ),
  );
}

/** The values a mode has where no layer says another. */
export function defaultsOf(mode: Mode): RunParameters {
  const entries = Object.keys(PARAMETERS).flatMap((name) => {
    const definition = definitionOf(name);
    if (!definition?.modes.includes(mode) || !definition.default) return [];
    return [[name, definition.default(mode)]];
  });
  return Object.fromEntries(entries);
}

function complaints(mode: Mode, { name: place, deploys, values, problem }: Layer): string[] {
  if (problem !== undefined) return [problem];
  return Object.entries(values).flatMap(([name, value]) => {
    const definition = definitionOf(name);
    if (!definition) return [`${place}: there is no parameter ${shown(name)}${meant(name, mode)}`];
    if (!definition.modes.includes(mode)) {
      return [
        `${place}: ${name} is not a parameter of ${mode}, only of ${definition.modes.join(', ')}`,
      ];
    }
    if (definition.layer === 'deploy' && !deploys) {
      return [`${place}: ${name} is set when deploying, in cdk.json; leave it out here`];
    }
    if (definition.schema.safeParse(value).success) return [];
    const issues = issuesOf(name, value, definition);
    if (issues.length > 0) return issues.map((issue) => `${place}: ${issue}`);
    return [
      `${place}: ${name} must be ${definition.rule}, got ${shown(value)}${nearTo(value, definition)}${unquoted(value, definition)}`,
    ];
  });
}

/** Names the legal values on either side of a wrong number. */
function nearTo(value: unknown, { near }: Parameter<unknown>): string {
  if (!near || typeof value !== 'number') return '';
  return `; the nearest is ${near(value).join(' or ')}`;
}

/** Fewer points than this do not tell an empty queue from one that has not begun. */
const POINTS_MIN = 3;

/** Rules between parameters, each with the way out. */
function conflicts(mode: Mode, parameters: RunParameters): string[] {
  const { ebsSizeGb = 0, ebsIOPS = 0, ebsThroughput = 0 } = parameters;
  const reasons: string[] = [];
  // gp3 has 3,000 IOPS at any size; the ratio is for what is provisioned above.
  const iopsMax = Math.max(3000, 500 * ebsSizeGb);
  if (mode === 'onlyEBS' && ebsIOPS > iopsMax) {
    reasons.push(
      `ebsIOPS may be at most 500 per GiB, got ${ebsIOPS} for ${ebsSizeGb} GiB: ask for at most ${iopsMax} IOPS, or for at least ${Math.ceil(ebsIOPS / 500)} GiB`,
    );
  }
  if (mode === 'onlyEBS' && ebsThroughput > ebsIOPS / 4) {
    reasons.push(
      `ebsThroughput may be at most 0.25 MiB/s per IOPS, got ${ebsThroughput} for ${ebsIOPS} IOPS: ask for at most ${Math.floor(ebsIOPS / 4)} MiB/s, or for at least ${ebsThroughput * 4} IOPS`,
    );
  }
  const autoExport = parameters.autoExport ?? mode === 'autoExport';
  if (autoExport !== (mode === 'autoExport')) {
    reasons.push(
      `autoExport must agree with the mode, got ${autoExport} for ${mode}: leave it out`,
    );
  }
  const { lambdaTimeDiffMinutes: minutes = 15, lambdaPeriodSeconds: period = 60 } = parameters;
  if (parameters.exportProof === 'metrics' && (minutes * 60) / period < POINTS_MIN) {
    reasons.push(
      `lambdaTimeDiffMinutes must hold at least ${POINTS_MIN} periods of lambdaPeriodSeconds with exportProof metrics, got ${minutes} minutes and ${period} seconds: ask for at least ${Math.ceil((POINTS_MIN * period) / 60)} minutes`,
    );
  }
  if (parameters.onFailure === 'export' && mode === 'onlyEBS') {
    reasons.push('onFailure export is for Lustre; a volume can be retained or released');
  }
  return reasons;
}

function meant(name: string, mode: Mode): string {
  const names = (Object.keys(PARAMETERS) as ParameterName[]).filter((each) =>
    definitionOf(each)?.modes.includes(mode),
  );
  const right = nearest(name, names);
  return right ? `; did you mean ${right}?` : '';
}

/** The same value as the parameter wants it, where somebody wrote a number as a text, or a text as a number. */
function unquoted(value: unknown, { schema, unit = '' }: Parameter<unknown>): string {
  if (typeof value === 'number' && schema.safeParse(`${value}`).success) {
    return `: write it in quotes, "${value}"`;
  }
  const form = /^(-?\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/;
  const [, number = '', suffix = ''] = (typeof value === 'string' && form.exec(value)) || [];
  if (number === '' || !schema.safeParse(Number(number)).success) return '';
  if (suffix === '') return `: write it without quotes, ${number}`;
  const isSameUnit = suffix[0]?.toLowerCase() === unit[0]?.toLowerCase();
  return isSameUnit ? `: write the number alone, ${number}` : `: write it as a number of ${unit}`;
}
