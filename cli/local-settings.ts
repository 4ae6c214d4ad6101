import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobSpec, Settings } from '../events';
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

/** The stack's own repository, as the local cloud would have it. */
const REPOSITORY = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/batch-job-with-ebs`;

/** What the stack would bring: the mode's section of cdk.json, and places that are folders here. */
export function localSettings(): Settings {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  return {
    modes: ['onlyEBS'],
    layers: { onlyEBS: [{ name: 'cdk.json', deploys: true, values: context.onlyEBS }] },
    repositories: { onlyEBS: REPOSITORY },
    resultsBucket: 'results',
    zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
  };
}

/** The sample job, small enough for a laptop and long enough to be interrupted. */
const SAMPLE: LocalImage = {
  command: ['bash', join(ROOT, 'docker', 'ebs', 'write_delete_test_ebs_with_s3.sh')],
  environment: { FILE_COUNT: '8', FILE_SIZE: '16M', WORK_SECONDS: '1.2' },
};

/** What stands for an image here: the sample job for the stack's own, nothing for any other. */
export function localImage(name: string): LocalImage | undefined {
  return name === REPOSITORY ? SAMPLE : undefined;
}

/** The last checkpoint that the sample job must leave; undefined for a person's own job. */
export function sampleResult(spec: JobSpec): { index: number; sizeMib: number } | undefined {
  if (spec.command || spec.image !== REPOSITORY) return undefined;
  const { FILE_COUNT = '', FILE_SIZE = '' } = { ...SAMPLE.environment, ...spec.environment };
  const [, number = '', unit] = /^(\d+)([MG])$/.exec(FILE_SIZE) ?? [];
  const sizeMib = Number(number) * (unit === 'G' ? 1024 : 1);
  return { index: Number(FILE_COUNT), sizeMib };
}
