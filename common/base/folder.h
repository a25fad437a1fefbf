/*
 * folder - what a name in a folder needs to outlive a power cut.
 */
#pragma once

/*
 * Waits until the names in `path` are on the disk. 0, or errno of the call that failed: what it
 * means is the caller's to say.
 */
int folder_sync(const char *path);
