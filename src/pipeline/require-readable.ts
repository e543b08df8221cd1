import { createDocumentText } from '../document/document-text.ts';
import { parseYaml } from '../document/parse-yaml.ts';
import { Problems } from '../document/problems.ts';
import { validateSchema } from '../document/validate-schema.ts';

/** Makes sure that the text of a pkg.yaml is of the right shape before it is written. */
export async function requireReadable(path: string, text: string): Promise<void> {
  const problems = new Problems('definition-invalid');
  await validateSchema('pkg', parseYaml(createDocumentText(path, path, text), 'definition-invalid'), problems, {});
  problems.throwAll();
}
