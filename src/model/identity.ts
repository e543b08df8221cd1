/** Version of the recipe by which a HASH is made. A change of it gives every package another identity. */
export const HASH_FORMAT = 1;

/**
 * Version of the conversion of a `.deb` into a layer: path rewriting, status entry, owners, times. It enters the HASH
 * of every Debian package, and so that of everything built in a root that holds one.
 */
export const DEBIAN_CONVERTER_VERSION = 1;

/** Version of how the installed packages of a root are told to dpkg; enters the HASH of what dpkg builds. */
export const DPKG_DATABASE_VERSION = 1;
