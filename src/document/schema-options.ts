/**
 * How the published schemas are compiled. They are not checked against their meta-schema, a test does that. Definitions
 * are not copied into every place that refers to them, and the generated code is not made shorter: both take longer than
 * they save.
 */
export const SCHEMA_OPTIONS = {
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
  strictTypes: false,
  validateSchema: false,
  inlineRefs: false,
  code: { optimize: false },
} as const;
