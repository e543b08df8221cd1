import { canonicalJson } from '../model/canonical-json.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import type { BinhostIdentity } from './binhost-identity.ts';
import { containerTitle } from './container-entry.ts';
import { discoveryOffer } from './discovery-offer.ts';
import { indexPage } from './index-page.ts';
import type { IndexContent } from './index-part.ts';
import { replaceIfOther } from './replace-if-other.ts';

/**
 * Writes what other programs and people look at: an OCI image layout's index and a page. They are made of the signed
 * index alone, so whoever writes them last writes the same; nothing of buildit's own ever reads them.
 */
export async function writeViews(
  writer: RemoteWriter,
  identity: BinhostIdentity,
  content: IndexContent,
): Promise<void> {
  await replaceIfOther(writer, 'oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  await replaceIfOther(writer, 'index.json', Buffer.from(ociIndex(content)));
  await replaceIfOther(writer, 'index.html', Buffer.from(indexPage(identity, content)));
  const { name, url } = identity;
  if (url !== undefined) await replaceIfOther(writer, 'buildit.json', Buffer.from(discoveryOffer(name, url)));
}

/** image-spec, image-layout.md. A name of several containers or publishers means the latest. */
function ociIndex({ containers }: IndexContent): string {
  const byReference = new Map<string, { readonly digest: string; readonly size: number; readonly platform: string }>();
  for (const entry of [...containers].sort((a, b) => (a.time < b.time ? -1 : 1))) {
    for (const { digest, size, tags } of entry.images) {
      for (const tag of new Set([entry.version, ...tags])) {
        // image-spec, annotations.md: a reference has no `~`.
        byReference.set(`${containerTitle(entry)}:${tag.replaceAll('~', '-')}`, {
          digest,
          size,
          platform: entry.platform,
        });
      }
    }
  }
  const manifests = [...byReference].map(([reference, { digest, size, platform }]) => {
    const [os, architecture] = platform.split('/') as [string, string];
    return {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: `sha256:${digest}`,
      size,
      platform: { architecture, os },
      annotations: { 'org.opencontainers.image.ref.name': reference },
    };
  });
  return canonicalJson({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests });
}
