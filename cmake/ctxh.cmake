# Flags travel on one INTERFACE target; CMAKE_C_FLAGS is never edited.
add_library(ctxh_flags INTERFACE)
target_include_directories(ctxh_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_features(ctxh_flags INTERFACE c_std_23)
target_compile_definitions(ctxh_flags INTERFACE _GNU_SOURCE)
target_compile_options(ctxh_flags INTERFACE
  -fno-strict-aliasing # libuv casts between handle types
  -fno-common
  -Wall -Wextra -Wshadow -Wundef -Wvla -Wformat=2 -Wconversion -Wno-sign-conversion
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings
  -Wimplicit-fallthrough -Wswitch-enum -Wdouble-promotion
  $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond -Wduplicated-branches>
  $<$<BOOL:${CTXH_WERROR}>:-Werror>)

if(CTXH_SANITIZE)
  target_compile_options(ctxh_flags INTERFACE
    -fsanitize=${CTXH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(ctxh_flags INTERFACE -fsanitize=${CTXH_SANITIZE})
endif()
if(CTXH_FUZZ)
  target_compile_options(ctxh_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CTXH_COVERAGE)
  target_compile_options(ctxh_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(ctxh_flags INTERFACE --coverage)
endif()
if(CTXH_HARDEN)
  target_compile_options(ctxh_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
    $<$<C_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero>)
  target_link_options(ctxh_flags INTERFACE -Wl,-z,relro,-z,now)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()

# ctxh_library(<name> SOURCES ... HEADERS ... [LINK ...])
# One static library per folder, plus, with the tests, one translation unit per header that
# includes only that header, so every header stands on its own.
function(ctxh_library name)
  cmake_parse_arguments(L "" "" "SOURCES;HEADERS;LINK" ${ARGN})
  add_library(${name} STATIC ${L_SOURCES})
  target_link_libraries(${name} PUBLIC ctxh_flags ${L_LINK})
  if(NOT BUILD_TESTING)
    return()
  endif()
  foreach(header ${L_HEADERS})
    string(MAKE_C_IDENTIFIER "${name}_${header}" id)
    file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
    set(unit ${CMAKE_CURRENT_BINARY_DIR}/alone_${id}.c)
    file(CONFIGURE OUTPUT ${unit} CONTENT
      "#include \"${folder}/${header}\"\n#include \"${folder}/${header}\"\n")
    target_sources(${name} PRIVATE ${unit})
  endforeach()
endfunction()
