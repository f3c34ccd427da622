# The commands as a library, for the program and for its tests: either may be built without the other.
if(NOT TARGET checkpoint_commands)
  add_library(checkpoint_commands STATIC
    ${CMAKE_CURRENT_LIST_DIR}/axis_roles.cpp
    ${CMAKE_CURRENT_LIST_DIR}/convert.cpp
    ${CMAKE_CURRENT_LIST_DIR}/cpp_text.cpp
    ${CMAKE_CURRENT_LIST_DIR}/declaration.cpp
    ${CMAKE_CURRENT_LIST_DIR}/describe.cpp
    ${CMAKE_CURRENT_LIST_DIR}/diff.cpp
    ${CMAKE_CURRENT_LIST_DIR}/tensor_file.cpp)
  target_include_directories(checkpoint_commands PUBLIC ${CMAKE_CURRENT_LIST_DIR})
  target_link_libraries(checkpoint_commands PUBLIC tenet::tenet PRIVATE tenet_options tenet_warnings)
endif()
