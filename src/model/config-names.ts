/** Settings of a project: the nearest one above a directory counts. */
export const PROJECT_CONFIG = '.buildit-config.yaml';

/** Written by `pull`: recipes of a container spec, which count beside the configuration of the project around it. */
export const SPEC_FILE = '.buildit-spec.yaml';
