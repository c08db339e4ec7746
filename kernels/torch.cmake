# Imports LibTorch from the folder of the PyPI wheel. find_package(Torch) would ask for a CUDA toolkit.
#   PONDER_TORCH_ROOT  the folder `torch` of the wheel (the launcher sets it)
set(PONDER_TORCH_ROOT "" CACHE PATH "folder of the torch package")
if(NOT PONDER_TORCH_ROOT)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -c
            "import importlib.util as u, os; s = u.find_spec('torch'); print(os.path.dirname(s.origin) if s else '')"
    OUTPUT_VARIABLE _torch OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(PONDER_TORCH_ROOT "${_torch}" CACHE PATH "" FORCE)
endif()
if(NOT EXISTS "${PONDER_TORCH_ROOT}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch is not in '${PONDER_TORCH_ROOT}'. Run ./ponder setup, or set -DPONDER_TORCH_ROOT=.../site-packages/torch")
endif()

add_library(ponder_torch INTERFACE)
# -idirafter, not -isystem: the wheel carries headers of fmt 12, which must not hide Debian's fmt 9.
target_compile_options(ponder_torch INTERFACE
  "SHELL:$<$<COMPILE_LANGUAGE:CXX>:-idirafter ${PONDER_TORCH_ROOT}/include>"
  "SHELL:$<$<COMPILE_LANGUAGE:CXX>:-idirafter ${PONDER_TORCH_ROOT}/include/torch/csrc/api/include>")
target_compile_definitions(ponder_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
set(_libraries torch_cpu c10)
if(WITH_CUDA AND EXISTS "${PONDER_TORCH_ROOT}/lib/libtorch_cuda.so")
  set(_libraries torch_cuda torch_cpu c10_cuda c10)
endif()
list(TRANSFORM _libraries PREPEND "${PONDER_TORCH_ROOT}/lib/lib")
list(TRANSFORM _libraries APPEND ".so")
target_link_libraries(ponder_torch INTERFACE -Wl,--push-state,--no-as-needed ${_libraries} -Wl,--pop-state)
set(CMAKE_BUILD_RPATH "${PONDER_TORCH_ROOT}/lib")
add_library(ponder::torch ALIAS ponder_torch)
