import { schedulesOf, uploadsOf } from './deployed';
import { resolve } from './layers';
import { readRequest, type Settings } from './request';
import { contain } from './triggers';

/**
 * Everything that is wrong with the deployment itself, before anybody asks for a run: the sections of
 * cdk.json, names and prefixes over all modes, and what schedules and uploads will ask for.
 */
export function deploymentProblems(settings: Settings): readonly string[] {
  const sections = settings.modes.flatMap((mode) => {
    const deployed = (settings.layers[mode] ?? []).filter(({ deploys }) => deploys);
    return resolve(mode, deployed).reasons.map((reason) => `${mode}: ${reason}`);
  });
  if (sections.length > 0) return sections;
  return [...sharedNames(settings), ...sharedPrefixes(settings), ...badRequests(settings)];
}

function sharedNames(settings: Settings): string[] {
  const schedules = schedulesOf(settings);
  return schedules.flatMap(({ name, mode }, index) => {
    const other = schedules.slice(0, index).find((each) => each.name === name);
    if (!other) return [];
    return [`the schedule ${name} is in ${other.mode} and in ${mode}: choose another name`];
  });
}

function sharedPrefixes(settings: Settings): string[] {
  const uploads = uploadsOf(settings);
  return uploads.flatMap(({ prefix, mode }, index) => {
    const other = uploads.slice(0, index).find((each) => contain(each.prefix, prefix));
    if (!other) return [];
    return [
      `the upload prefixes ${other.prefix} of ${other.mode} and ${prefix} of ${mode} contain one another: part them`,
    ];
  });
}

/** Nobody is there to read why the request of a schedule was refused at night. */
function badRequests(settings: Settings): string[] {
  const asked = [
    ...schedulesOf(settings).map(({ name, mode, request }) => ({
      place: `the schedule ${name}`,
      detail: { ...request, mode },
    })),
    ...uploadsOf(settings).map(({ prefix, mode, request }) => ({
      place: `the upload prefix ${prefix}`,
      detail: { ...request, mode },
    })),
  ];
  return asked.flatMap(({ place, detail }) => {
    const judged = readRequest('any', detail, settings);
    return judged.ok ? [] : [`${place} asks for what will be refused: ${judged.reason}`];
  });
}
