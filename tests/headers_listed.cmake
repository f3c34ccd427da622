# Compares the list in cmake/headers.cmake with the headers that stand under include/.
#   cmake -DSOURCE_DIR=<project> -P headers_listed.cmake
cmake_minimum_required(VERSION 3.25)

include(${SOURCE_DIR}/cmake/headers.cmake)
file(GLOB_RECURSE present RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/include/*.hpp)

set(not_listed ${present})
list(REMOVE_ITEM not_listed ${TENET_HEADERS})
set(not_present ${TENET_HEADERS})
list(REMOVE_ITEM not_present ${present})

if(not_listed OR not_present)
  list(JOIN not_listed "\n  " not_listed)
  list(JOIN not_present "\n  " not_present)
  message(FATAL_ERROR
    "cmake/headers.cmake: run scripts/update-header-list\n"
    "stand under include/ but are not listed:\n  ${not_listed}\n"
    "are listed but do not stand under include/:\n  ${not_present}")
endif()

# An umbrella holds its whole folder, tenet.hpp all umbrellas but the outside face's.
file(GLOB umbrellas RELATIVE ${SOURCE_DIR}/include ${SOURCE_DIR}/include/tenet/*.hpp)
foreach(umbrella IN LISTS umbrellas)
  if(umbrella STREQUAL "tenet/tenet.hpp")
    set(expected ${umbrellas})
    list(REMOVE_ITEM expected tenet/tenet.hpp tenet/interop.hpp)
  else()
    string(REGEX REPLACE "\\.hpp$" "" folder ${umbrella})
    file(GLOB expected RELATIVE ${SOURCE_DIR}/include ${SOURCE_DIR}/include/${folder}/*.hpp)
  endif()
  file(STRINGS ${SOURCE_DIR}/include/${umbrella} found REGEX "^#include")
  list(TRANSFORM found REPLACE "^#include <(.*)>$" "\\1")
  list(SORT expected)
  list(SORT found)
  if(NOT found STREQUAL expected)
    message(FATAL_ERROR
      "${umbrella}: run scripts/update-header-list\nexpected the includes ${expected}\nfound ${found}")
  endif()
endforeach()
