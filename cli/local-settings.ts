import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type JobSpec, MODES, type Mode, type Settings, secretLayer } from '../events';
import { ACCOUNT, REGION } from '../sim/cloud';
import type { LocalImage } from '../sim/processes';

const ROOT = join(__dirname, '..');

/** How a person calls us from a clone. */
export const EBB = 'npx ebb';
/** Where the local cloud is unless somebody says otherwise. */
export const HOME = '.ebbtide';

/** A local command to type next, for the place that it is about. */
export function hint(command: string, { path }: { readonly path: string }): string {
  const place = path === resolve(HOME) ? '' : ` --home '${path}'`;
  return `${EBB} local ${command}${place}`;
}

/** The stack's own repository for a mode, as the local cloud would have it. */
function repositoryOf(mode: Mode): string {
  return `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/${contextOf(mode).ecrRepositoryName}`;
}

/** The section of a mode in cdk.json. */
function contextOf(mode: Mode): { readonly [name: string]: unknown } {
  return JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context[mode];
}

/** What stands for a mode's secret in Secrets Manager: overrides without a deployment. */
function secretFile({ path }: { readonly path: string }, mode: Mode): string {
  return join(path, 'secrets', `${mode}.json`);
}

/**
 * What the stack would bring: each mode's section of cdk.json, its secret, and places that are folders
 * here. Where nobody has written a secret, it is as it begins: {}.
 */
export function localSettings(home: { readonly path: string }): Settings {
  const layersOf = (mode: Mode) => {
    const file = secretFile(home, mode);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '{}';
    const own = { name: 'cdk.json', deploys: true, values: contextOf(mode) };
    const near = relative(process.cwd(), file);
    return [own, secretLayer(near.startsWith('..') ? file : near, text)];
  };
  return {
    modes: MODES,
    layers: Object.fromEntries(MODES.map((mode) => [mode, layersOf(mode)])),
    repositories: Object.fromEntries(MODES.map((mode) => [mode, repositoryOf(mode)])),
    resultsBucket: 'results',
    intakeBucket: 'intake',
    zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  };
}

/** The vCPUs that the compute environments of the stack may have at once. */
export function localVcpus(): number {
  return Math.max(...MODES.map((mode) => Number(contextOf(mode).computeEnvironmentMaxvCpus)));
}

/** The sample jobs, small enough for a laptop and long enough to be interrupted. */
const VOLUME_SAMPLE: LocalImage = {
  command: ['bash', join(ROOT, 'docker', 'ebs', 'write_delete_test_ebs_with_s3.sh')],
  environment: { FILE_COUNT: '8', FILE_SIZE: '16M', WORK_SECONDS: '1.2' },
};
const LUSTRE_SAMPLE: LocalImage = {
  command: ['bash', join(ROOT, 'docker', 'lustre', 'write_delete_test_lustre.sh')],
  environment: { FILE_COUNT: '5', FILE_SIZE: '8M', WORK_SECONDS: '0.6' },
};

/** What stands for an image here: a sample job for the stack's own, nothing for any other. */
export function localImage(name: string): LocalImage | undefined {
  const mode = MODES.find((each) => name === repositoryOf(each));
  if (!mode) return undefined;
  return mode === 'onlyEBS' ? VOLUME_SAMPLE : LUSTRE_SAMPLE;
}

/** The last checkpoint that the sample job must leave; undefined for a person's own job. */
export function sampleResult(spec: JobSpec): { index: number; sizeMib: number } | undefined {
  const image = localImage(spec.image);
  if (spec.command || !image) return undefined;
  const { FILE_COUNT = '', FILE_SIZE = '' } = { ...image.environment, ...spec.environment };
  const [, number = '', unit] = /^(\d+)([MG])$/.exec(FILE_SIZE) ?? [];
  const sizeMib = Number(number) * (unit === 'G' ? 1024 : 1);
  return { index: Number(FILE_COUNT), sizeMib };
}
