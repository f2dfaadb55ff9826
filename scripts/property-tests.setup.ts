/**
 * fast-check makes arrays of ten elements at most unless it is told a size, whatever their `maxLength`: the ends of what a codec, a region
 * or a schema must bear would never be tried.
 */
import * as fc from "fast-check";

fc.configureGlobal({ ...fc.readConfigureGlobal(), defaultSizeToMaxWhenMaxSpecified: true });
