import { commandOf, type JobSpec, PARAMETER_NAME, referencesOf } from '../jobs';
import { looksSecret } from './secrets';
import { shown } from './words';

/**
 * ECS takes 8192 characters of overrides, and Batch fails a job that has more ("Container Overrides
 * length must be at most 8192"); SubmitJob takes 30 KiB in all. A quarter is for what Batch and we
 * add: the storage, the places in S3, the ids.
 */
export const OVERRIDES_MAX = 6144;

/** What is wrong with a job's command, its parameters, and how much it all is. */
export function badCommand(spec: JobSpec): string[] {
  const wrong = [...badParameters(spec), ...badReferences(spec)];
  return wrong.length > 0 ? wrong : tooLong(spec);
}

function badParameters({ name, command, parameters = {} }: JobSpec): string[] {
  const names = Object.keys(parameters);
  if (names.length > 0 && command === undefined) {
    return [
      `job ${name} has parameters and no command that could refer to them: add a command with Ref::${shownName(names[0])}, or use environment`,
    ];
  }
  const references = referencesOf(command);
  return Object.entries(parameters).flatMap(([parameter, value]) => {
    const place = `job ${name}: parameter ${shown(shownName(parameter))}`;
    if (!PARAMETER_NAME.test(parameter)) return [`${place} must be 1 to 64 letters, digits and _`];
    if (looksSecret(parameter, value)) {
      return [
        `${place} looks like a secret, and Batch shows a job's command in every event: put it into Secrets Manager and pass its ARN`,
      ];
    }
    if (references.includes(parameter)) return [];
    return [
      `${place} is used nowhere: write Ref::${parameter} where the command needs it, or leave it out`,
    ];
  });
}

function badReferences({ name, command, parameters = {} }: JobSpec): string[] {
  return referencesOf(command)
    .filter((reference) => !Object.hasOwn(parameters, reference))
    .map(
      (reference) =>
        `job ${name}: its command says Ref::${reference.slice(0, 64)}, and there is no parameter ${shown(reference)} in the job's own parameters: add it there`,
    );
}

/** What stands behind the first strange character may be a value that slipped into the name. */
function shownName(parameter = ''): string {
  return /^\w{0,64}/.exec(parameter)?.[0] ?? '';
}

function tooLong(spec: JobSpec): string[] {
  const environment = Object.entries(spec.environment).map(([name, value]) => ({ name, value }));
  const { length } = JSON.stringify({ command: commandOf(spec), environment });
  if (length <= OVERRIDES_MAX) return [];
  return [
    `job ${spec.name}: command and environment have ${length} characters with all parameters in place, and Batch takes ${OVERRIDES_MAX} of them: put data into S3 and name its place`,
  ];
}
